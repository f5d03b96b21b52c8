"""boto3 made ready in the zygote, so that functions find it imported and its service models parsed.

Everything shared here is a pure function of files that nobody can change inside a sandbox: parsed models, lists of
directories, signatures. A package that brings its own SDK never meets this: it is not forked from a warm zygote.
"""

import functools

#: Clients whose service models are parsed ahead: the ones that functions use most.
WARM_SERVICES = ("s3", "dynamodb", "sqs", "sns", "lambda", "sts", "secretsmanager", "ssm", "kms", "events", "logs")


def preload():
    """Import boto3, share what its sessions would each work out again, and make one client of each warm service."""
    import boto3
    from botocore import hooks, loaders

    _share_documents(loaders.JSONFileLoader)
    _share_listings(loaders.Loader)
    hooks.accepts_kwargs = functools.lru_cache(maxsize=None)(hooks.accepts_kwargs)
    _share_aliases(hooks.EventAliaser)
    session = boto3.Session(aws_access_key_id="warm", aws_secret_access_key="warm", region_name="us-east-1")
    for name in WARM_SERVICES:
        session.client(name)


def _share_documents(file_loader):
    """Every client of a process already shares what its loader parsed; this shares it between loaders too."""
    read = file_loader.load_file
    parsed = {}

    def load_file(self, file_path):
        if file_path not in parsed:
            parsed[file_path] = read(self, file_path)
        return parsed[file_path]

    file_loader.load_file = load_file


def _share_listings(loader):
    """The services below the same search paths: looking takes two thousand system calls."""
    look = loader.list_available_services
    listed = {}

    def list_available_services(self, type_name):
        place = (tuple(self.search_paths), type_name)
        if place not in listed:
            listed[place] = look(self, type_name)
        return list(listed[place])

    loader.list_available_services = list_available_services


def _share_aliases(aliaser):
    """Names of events under the SDK's own table of aliases."""
    start = aliaser.__init__
    names = {}

    def __init__(self, event_emitter, event_aliases=None):
        start(self, event_emitter, event_aliases)
        if event_aliases is None and hasattr(self, "_alias_name_cache"):
            self._alias_name_cache = names

    aliaser.__init__ = __init__
