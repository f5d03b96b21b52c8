#!/bin/bash
# A custom runtime: asks the Runtime API for events, and runs the handler, a shell function, with each.
set -euo pipefail
export LC_ALL=C # lengths are bytes

IFS=: read -r host port <<<"$AWS_LAMBDA_RUNTIME_API"
source "$LAMBDA_TASK_ROOT/${_HANDLER%%.*}.sh"

# One request; its answer's body is in $body, the id of the invocation in $request_id.
call() {
  local length=0 name value
  exec 3<>"/dev/tcp/$host/${port:-80}"
  printf '%s /2018-06-01/runtime/invocation/%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "$host" "${#3}" "$3" >&3
  while IFS=: read -r name value <&3 && [ -n "${name%$'\r'}" ]; do
    value=${value# }
    case ${name,,} in
      content-length) length=${value%$'\r'} ;;
      lambda-runtime-aws-request-id) request_id=${value%$'\r'} ;;
    esac
  done
  body=
  [ "$length" = 0 ] || IFS= read -r -N "$length" body <&3
  exec 3>&-
}

while true; do
  call GET next ""
  if answer=$("${_HANDLER#*.}" "$body"); then
    call POST "$request_id/response" "$answer"
  else
    call POST "$request_id/error" '{"errorType": "Handler.Failed", "errorMessage": "The handler ended with an error."}'
  fi
done
