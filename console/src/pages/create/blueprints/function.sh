# The event is the first argument, the answer is what is printed; lines for the log go to standard error.
handler() {
  echo "an event of ${#1} bytes" >&2
  printf '{"shell": "Bash %s", "event": %s}' "$BASH_VERSION" "$1"
}
