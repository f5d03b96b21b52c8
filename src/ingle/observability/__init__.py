"""What Ingle tells about itself: structured log lines now. Not the logs of functions, which `storage.logs` keeps."""
