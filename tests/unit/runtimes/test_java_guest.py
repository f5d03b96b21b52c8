"""The Java guest program against a Runtime API, outside any sandbox, on every JDK of this machine."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ingle.worker.families import java_interpreters, java_libraries
from ingle.worker.families.java import always
from ingle.worker.interpreters import Interpreter
from javac import JAVAC, compile_java
from unit.runtimes.guest import Guest

HOMES = [
    home for home in sorted(Path("/usr/lib/jvm").glob("*")) if (home / "bin/java").exists() and not home.is_symlink()
]

pytestmark = pytest.mark.skipif(JAVAC is None or not HOMES, reason="no JDK in /usr/lib/jvm, or no javac on the path")

Start = Callable[..., Guest]


@pytest.fixture(scope="module")
def guest_jar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    interpreter = java_interpreters.examine(HOMES[0] / "bin/java")
    assert isinstance(interpreter, Interpreter)
    directory = tmp_path_factory.mktemp("java")
    java_libraries.install(directory, interpreter, [])
    return java_libraries.directory(directory, interpreter.runtime) / java_libraries.JAR


def write(directory: Path, classes: Mapping[str, bytes]) -> None:
    for name, content in classes.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)


@pytest.fixture(scope="module", params=HOMES, ids=lambda home: home.name)
def java(request: pytest.FixtureRequest) -> str:
    return str(request.param / "bin/java")


@pytest.fixture
def start(java: str, guest_jar: Path, tmp_path: Path) -> Iterator[Start]:
    """`start(source_of_H, handler="H")`: a running guest."""
    with ExitStack() as stack:

        def run(source: str | Mapping[str, str], handler: str = "H", release: str = "8", **settings: Any) -> Guest:
            files = {"H": source} if isinstance(source, str) else source
            root = tmp_path / "task"
            root.mkdir(exist_ok=True)
            write(root, compile_java(guest_jar, files, release=release))
            flags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", *always(17)]
            command = [java, *flags, "-cp", str(guest_jar), java_libraries.MAIN]
            return stack.enter_context(Guest(command, root, handler, **settings))

        yield run


def handler(body: str, parameters: str = "Object event", result: str = "Object") -> str:
    return f"public class H {{ public {result} handle({parameters}) throws Exception {{ {body} }} }}"


#: What a method takes, what it does, an event and the expected result.
VALUES = [
    ("String event, Context context", "return event + context.getFunctionName();", "a", "af"),
    ("int event", "return event + 1;", 1, 2),
    ("long event", "return event + 1;", 2**40, 2**40 + 1),
    ("Integer event", "return event;", None, None),
    ("boolean event", "return !event;", True, False),
    ("double event", "return event;", 1, 1.0),
    ("BigDecimal event", "return event;", 1.10, 1.1),
    ("Context context", "return context.getMemoryLimitInMB();", {}, 256),
    ("", "return 7;", "x", 7),
    ("List<Integer> event", "return event.get(0) + event.get(1);", [1, 2], 3),
    ("Map<String, List<Long>> event", "return event.get(\"a\").get(0) + 1;", {"a": [1]}, 2),
    ("int[] event", "return event.length;", [1, 2, 3], 3),
    ("Set<String> event", "return event.size();", ["a", "a"], 1),
    ("byte[] event", "return new String(event);", "aGk=", "hi"),
    ("String event", "return event.getBytes();", "hi", "aGk="),
    ("Date event", "return event.getTime();", "1970-01-01T00:00:01.000Z", 1000),
    ("UUID event", "return event;", "123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
    ("java.time.Instant event", "return event.toEpochMilli();", "1970-01-01T00:00:01Z", 1000),
    ("Optional<Integer> event", "return event.map(n -> n + 1);", 1, 2),
    ("LogLevel event", "return event;", "WARN", "WARN"),
    ("LogLevel event", "return event;", "NONE", None),
]  # fmt: skip


class TestHandlers:
    def test_an_object_by_reflection(self, start: Start) -> None:
        guest = start(handler("return event;"), "H::handle")
        for value in (None, True, 1, 2**40, 2**70, -1.5, "ü\u2028\U0001f600\ud83d", [], {"a": [{"ü": {}}]}):
            answer = guest.invoke(value)
            assert (answer.path, answer.document) == ("response", value)

    def test_values_of_methods(self, start: Start) -> None:
        methods = [
            f"public Object m{number}({parameters}) throws Exception {{ {body} }}"
            for number, (parameters, body, _, _) in enumerate(VALUES)
        ]
        source = "public class H {\n" + "\n".join(methods) + "\n}"
        for number, (parameters, _, event, expected) in enumerate(VALUES):
            guest = start(source, f"H::m{number}")
            assert guest.invoke(event).document == expected, parameters
            guest.close()

    def test_void_and_static_methods(self, start: Start) -> None:
        source = """public class H {
            public static void nothing(Map<String, Object> event) { System.out.println(event); }
            public static String text(String event) { return event; }
        }"""
        assert start(source, "H::nothing").invoke({"a": 1}).body == b"null"
        assert start(source, "H::text").invoke("b").document == "b"

    def test_of_overloaded_methods_the_one_with_a_context(self, start: Start) -> None:
        source = """public class H {
            public String handle(String event) { return "plain"; }
            public String handle(String event, Context context) { return "context"; }
            public String handle(String event, Integer other) { return "no handler"; }
        }"""
        assert start(source, "H::handle").invoke("b").document == "context"

    @pytest.mark.parametrize("setting", ["my.app.H", "my.app.H::handleRequest"])
    def test_the_interface(self, start: Start, setting: str) -> None:
        source = """public class H implements RequestHandler<Map<String, List<Integer>>, Map<String, Object>> {
            public Map<String, Object> handleRequest(Map<String, List<Integer>> event, Context context) {
                return Collections.singletonMap(context.getAwsRequestId(), event.get("n").get(0) + 1);
            }
        }"""
        assert start({"my/app/H": source}, setting).invoke({"n": [1]}).document == {"request-1": 2}

    def test_types_through_generic_parents(self, start: Start) -> None:
        files = {
            "Base": """public abstract class Base<A, B> implements RequestHandler<List<A>, B> {
                public abstract B one(A item);
                public B handleRequest(List<A> event, Context context) { return one(event.get(0)); }
            }""",
            "Item": "public class Item { public int n; public Box<Item> box; }",
            "Box": "public class Box<T> { private T value; public T getValue() { return value; } "
            "public void setValue(T value) { this.value = value; } }",
            "H": "public class H extends Base<Item, Integer> { "
            "public Integer one(Item item) { return item.n + item.box.getValue().n; } }",
        }
        assert start(files).invoke([{"n": 1, "box": {"value": {"n": 2}}}]).document == 3

    def test_streams(self, start: Start) -> None:
        source = """public class H implements RequestStreamHandler {
            public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
                for (int b = in.read(); b >= 0; b = in.read()) { out.write(b); out.write(b); }
            }
            public void mine(InputStream in, OutputStream out) throws IOException { out.write(in.read()); }
            public void taken(InputStream in, Context context) throws IOException { in.read(); }
        }"""
        assert start(source).invoke(raw=b"12").body == b"1122"
        assert start(source, "H::mine").invoke(raw=b"12").body == b"1"
        assert start(source, "H::taken").invoke(raw=b"12").body == b""

    def test_a_large_event_and_result(self, start: Start) -> None:
        guest = start(handler("return event + event;", "String event"), "H::handle")
        assert guest.invoke("ü" * 1_500_000).document == "ü" * 3_000_000
        assert guest.invoke("a").document == "aa"

    def test_jars_of_the_package_and_its_own_copy_of_the_interfaces(
        self, start: Start, guest_jar: Path, tmp_path: Path
    ) -> None:
        """A package may bring AWS's interfaces itself: its handler must implement those that the runtime knows."""
        greeting = {"lib/Greeting": 'public class Greeting { public static String TEXT = "hi"; }'}
        (tmp_path / "task/lib").mkdir(parents=True)
        with zipfile.ZipFile(tmp_path / "task/lib/greeting.jar", "w") as jar:
            for name, content in compile_java(guest_jar, greeting).items():
                jar.writestr(name, content)
        with zipfile.ZipFile(guest_jar) as ours, zipfile.ZipFile(tmp_path / "task/lib/core.jar", "w") as jar:
            for name in ours.namelist():
                if name.startswith("com/amazonaws/"):
                    jar.writestr(name, ours.read(name))
        source = """public class H implements RequestHandler<Object, Object> {
            public Object handleRequest(Object event, Context context) throws RuntimeException {
                try {
                    ClassLoader loader = Thread.currentThread().getContextClassLoader();
                    Class<?> greeting = Class.forName("lib.Greeting", true, loader);
                    return Arrays.asList(greeting.getField("TEXT").get(null), RequestHandler.class.isInstance(this));
                } catch (ReflectiveOperationException problem) { throw new RuntimeException(problem); }
            }
        }"""
        assert start(source).invoke().document == ["hi", True]

    def test_a_serializer_of_the_package(self, start: Start, tmp_path: Path) -> None:
        services = tmp_path / "task/META-INF/services"
        services.mkdir(parents=True)
        (services / "com.amazonaws.services.lambda.runtime.CustomPojoSerializer").write_text("Mine\n")
        files = {
            "H": handler("return event;", "String event"),
            "Mine": """public class Mine implements CustomPojoSerializer {
                @SuppressWarnings("unchecked")
                public <T> T fromJson(InputStream input, java.lang.reflect.Type type) { return (T) ("read " + type); }
                public <T> T fromJson(String input, java.lang.reflect.Type type) { return null; }
                public <T> void toJson(T value, OutputStream output, java.lang.reflect.Type type) {
                    new PrintStream(output, true).print("[\\"" + value + "\\"]");
                }
            }""",
        }
        assert start(files, "H::handle").invoke().document == ["read class java.lang.String"]


class TestMapping:
    POJO = """
    public class Pojo {
        public enum Colour { RED, GREEN }
        public static class Inner { private String text = "default"; public String getText() { return text; }
            void setText(String text) { this.text = text; } }
        public String open;
        public transient String passing = "not written";
        private int number;
        private String hidden = "not written";
        private boolean ready;
        private List<Inner> inners;
        private Map<String, Colour> colours;
        private Integer missing;
        private String URL;
        public int getNumber() { return number; }
        public void setNumber(int number) { this.number = number; }
        public boolean isReady() { return ready; }
        public void setReady(boolean ready) { this.ready = ready; }
        public List<Inner> getInners() { return inners; }
        public void setInners(List<Inner> inners) { this.inners = inners; }
        public Map<String, Colour> getColours() { return colours; }
        public void setColours(Map<String, Colour> colours) { this.colours = colours; }
        public Integer getMissing() { return missing; }
        public void setMissing(Integer missing) { this.missing = missing; }
        public String getURL() { return URL; }
        public void setURL(String URL) { this.URL = URL; }
        public String getter() { return "no property"; }
    }"""

    def test_beans_both_ways(self, start: Start) -> None:
        guest = start({"Pojo": self.POJO, "H": handler("return event;", "Pojo event", "Pojo")}, "H::handle")
        event = {"open": "o", "number": 3, "ready": True, "inners": [{"text": "t"}, {}], "colours": {"a": "GREEN"},
                 "missing": None, "URL": "u"}  # fmt: skip
        answer = guest.invoke({**event, "unknown": [1], "hidden": "x"})
        assert answer.document == {**event, "inners": [{"text": "t"}, {"text": "default"}]}
        assert list(answer.document)[:3] == ["open", "number", "ready"]
        empty = guest.invoke({"number": None, "colours": {"b": "BLUE"}}).document
        assert (empty["number"], empty["inners"], empty["colours"]) == (0, None, {"b": None})

    def test_lenient_values(self, start: Start) -> None:
        guest = start({"Pojo": self.POJO, "H": handler("return event;", "Pojo event", "Pojo")}, "H::handle")
        result = guest.invoke({"number": "4", "ready": "true", "inners": {"text": "one"}, "open": 5}).document
        assert (result["number"], result["ready"], result["inners"], result["open"]) == (
            4,
            True,
            [{"text": "one"}],
            "5",
        )

    def test_records(self, start: Start, java: str) -> None:
        if "java-8" in java or "java-11" in java:
            pytest.skip("records came with Java 16")
        files = {"Point": "public record Point(int x, List<Point> more) {}",
                 "H": handler("return new Point(event.x() + 1, event.more());", "Point event", "Point")}  # fmt: skip
        guest = start(files, "H::handle", "17")
        assert guest.invoke({"x": 1, "more": [{"x": 5}]}).document == {"x": 2, "more": [{"x": 5, "more": None}]}

    def test_events_of_awss_library(self, start: Start) -> None:
        """Their names differ in case from the JSON, and some have neither setters nor a constructor."""
        package = "com/amazonaws/services/lambda/runtime/events"
        files = {
            f"{package}/LikeSqs": """public class LikeSqs {
                private List<Message> records;
                public List<Message> getRecords() { return records; }
                public void setRecords(List<Message> records) { this.records = records; }
                public static class Message { private String eventSourceArn; private Date at;
                    public String getEventSourceArn() { return eventSourceArn; }
                    public void setEventSourceArn(String arn) { this.eventSourceArn = arn; }
                    public Date getAt() { return at; } public void setAt(Date at) { this.at = at; } }
            }""",
            f"{package}/LikeS3": """public class LikeS3 {
                private final List<String> records;
                public LikeS3(List<String> records) { this.records = records; }
                public List<String> getRecords() { return records; }
            }""",
            "H": """public class H {
                public Object sqs(com.amazonaws.services.lambda.runtime.events.LikeSqs event) {
                    com.amazonaws.services.lambda.runtime.events.LikeSqs.Message first = event.getRecords().get(0);
                    return Arrays.asList(first.getEventSourceArn(), first.getAt());
                }
                public Object s3(com.amazonaws.services.lambda.runtime.events.LikeS3 event) {
                    return event.getRecords();
                }
            }""",
        }
        event = {"Records": [{"eventSourceARN": "arn", "At": 1.5}]}
        assert start(files, "H::sqs").invoke(event).document == ["arn", 1500]
        assert start(files, "H::s3").invoke({"Records": ["a"]}).document == ["a"]

    @pytest.mark.parametrize(
        ("parameters", "event", "text"),
        [
            ("String event", {"a": 1}, "Cannot deserialize value of type `java.lang.String` from Object value"),
            ("int event", "no", "Cannot deserialize value of type `int` from String value"),
            ("int event", 2**40, "Cannot deserialize value of type `int` from Number value"),
            ("Map<String, Integer> event", {"a": "x"}, "`java.lang.Integer` from String value"),
            ("Runnable event", {}, "Cannot construct instance of `java.lang.Runnable`"),
        ],
    )
    def test_an_event_that_does_not_fit(self, start: Start, parameters: str, event: Any, text: str) -> None:
        answer = start(handler("return event;", parameters), "H::handle").invoke(event)
        document = answer.document
        assert (answer.path, answer.error_type) == ("error", "java.lang.RuntimeException")
        assert document["errorMessage"] == "An error occurred during JSON parsing"
        assert document["cause"]["errorType"] == "java.io.UncheckedIOException"
        assert text in document["cause"]["cause"]["errorMessage"]

    @pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a':1}", "01", "1.", "tru", '"\\x"', '"a', "1 2", "[" * 5000])
    def test_text_that_is_not_json(self, start: Start, text: str) -> None:
        answer = start(handler("return event;"), "H::handle").invoke(raw=text.encode())
        assert answer.document["errorMessage"] == "An error occurred during JSON parsing"

    def test_a_result_without_end(self, start: Start) -> None:
        source = "public class H { public Object handle() { return this; } public H getSelf() { return this; } }"
        document = start(source, "H::handle").invoke().document
        assert document["errorMessage"] == "An error occurred during JSON serialization of response"
        assert "Infinite recursion" in document["cause"]["errorMessage"]


class TestErrors:
    def test_an_exception_and_its_cause(self, start: Start) -> None:
        source = """public class H implements RequestHandler<String, String> {
            public String handleRequest(String event, Context context) {
                throw new IllegalStateException(event, new IOException("below"));
            }
        }"""
        guest = start({"my/H": source}, "my.H")
        answer = guest.invoke("as asked")
        document = answer.document
        assert (answer.path, answer.error_type) == ("error", "java.lang.IllegalStateException")
        assert (document["errorMessage"], document["errorType"]) == ("as asked", "java.lang.IllegalStateException")
        assert [frame.partition("(")[0] for frame in document["stackTrace"]] == ["my.H.handleRequest"] * 2
        assert document["cause"]["errorMessage"] == "below"
        assert document["cause"]["errorType"] == "java.io.IOException"
        event = guest.events()[-1]
        assert event.startswith(
            "as asked: java.lang.IllegalStateException\njava.lang.IllegalStateException: as asked\n"
        )
        assert "Caused by: java.io.IOException: below" in event
        assert guest.invoke("again").document["errorMessage"] == "again"

    @pytest.mark.parametrize(
        ("body", "kind", "message"),
        [("return handle(event);", "java.lang.StackOverflowError", "java.lang.StackOverflowError"),
         ("List<long[]> all = new ArrayList<>(); while (true) all.add(new long[1 << 20]);",
          "java.lang.OutOfMemoryError", "Java heap space")],
    )  # fmt: skip
    def test_errors_of_the_machine_end_the_process(self, start: Start, body: str, kind: str, message: str) -> None:
        guest = start(handler(body), "H::handle")
        answer = guest.invoke()
        assert (answer.document["errorType"], answer.document["errorMessage"]) == (kind, message)
        assert guest.status() == 1

    def test_system_exit(self, start: Start) -> None:
        guest = start(handler("System.exit(9); return null;"), "H::handle")
        with pytest.raises(AssertionError, match="the guest ended"):
            guest.invoke()
        assert guest.status() == 9

    @pytest.mark.parametrize(
        ("setting", "message", "kind"),
        [
            ("absent.H", "Class not found: absent.H", "java.lang.ClassNotFoundException"),
            ("H::absent", "No public method named absent with appropriate method signature found on class H", None),
            ("H::closed", "No public method named closed with appropriate method signature found on class H", None),
            ("H::three", "No public method named three with appropriate method signature found on class H", None),
            ("H", "Class does not implement an appropriate handler interface: H", None),
            ("H::", "Invalid handler: `H::'", None),
            ("H$Made::handle", "Class H$Made has no public zero-argument constructor", None),
        ],
    )
    def test_a_handler_that_cannot_be_called(self, start: Start, setting: str, message: str, kind: str | None) -> None:
        """Told to each invocation, as on AWS."""
        source = """public class H {
            void closed(String event) {}
            public void three(String a, String b, String c) {}
            public static class Made { public Made(int n) {} public void handle(String event) {} }
        }"""
        guest = start(source, setting)
        for _ in range(2):
            answer = guest.invoke()
            assert (answer.path, answer.error_type) == ("error", kind)
            assert answer.document == {"errorMessage": message, **({"errorType": kind} if kind else {})}
        assert guest.events()[-1].startswith(message)

    @pytest.mark.parametrize(
        ("source", "kind", "message"),
        [
            ("public class H { public H() { throw new IllegalStateException(\"bad\"); } public void handle() {} }",
             "java.lang.IllegalStateException", "bad"),
            ("public class H { static int n = 1 / Integer.parseInt(\"0\"); public void handle() {} }",
             "java.lang.ExceptionInInitializerError", "Error loading class H"),
            ("public class H { public H() { throw new OutOfMemoryError(\"all\"); } public void handle() {} }",
             "java.lang.OutOfMemoryError", "all"),
        ],
    )  # fmt: skip
    def test_initialisation_that_fails(self, start: Start, source: str, kind: str, message: str) -> None:
        guest = start(source, "H::handle")
        answer = guest.answer()
        assert (answer.path, answer.error_type) == ("init/error", kind)
        assert answer.document == {"errorMessage": message, "errorType": kind}
        assert guest.status() == 1
        assert guest.events()[-1].startswith(f"{message}: {kind}\n")


def test_the_context(start: Start) -> None:
    source = """public class H implements RequestHandler<Object, Object> {
        public Object handleRequest(Object event, Context c) {
            ClientContext client = c.getClientContext();
            return Arrays.asList(c.getAwsRequestId(), c.getFunctionName(), c.getFunctionVersion(),
                c.getMemoryLimitInMB(), c.getLogGroupName(), c.getLogStreamName(), c.getInvokedFunctionArn(),
                c.getTenantId(),
                c.getIdentity().getIdentityId(), client == null ? null : client.getClient().getAppTitle(),
                client == null ? null : client.getCustom().get("k"),
                System.getProperty("com.amazonaws.xray.traceHeader"), c.getRemainingTimeInMillis());
        }
    }"""
    guest = start(source)
    client = '{"client":{"app_title":"ü"},"custom":{"k":"v"}}'
    headers = {"Lambda-Runtime-Trace-Id": "Root=1-a", "Lambda-Runtime-Aws-Tenant-Id": "t",
               "Lambda-Runtime-Client-Context": client.encode().decode("latin-1"),
               "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i"}'}  # fmt: skip
    result = guest.invoke(None, headers).document
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    assert result[:-1] == [
        "request-1",
        "f",
        "$LATEST",
        256,
        "/aws/lambda/f",
        "stream",
        arn,
        "t",
        "i",
        "ü",
        "v",
        "Root=1-a",
    ]
    assert 0 < result[-1] <= 20_000
    later = guest.invoke(None, {"Lambda-Runtime-Deadline-Ms": "1"}).document
    assert later[7:] == [None, "", None, None, None, 0]


class TestOutput:
    SOURCE = """public class H implements RequestHandler<Object, Object> {
        public Object handleRequest(Object event, Context context) {
            System.out.println("one\\ntwo");
            System.err.print("thr");
            System.err.println("ee");
            context.getLogger().log("four\\nfive");
            LambdaRuntime.getLogger().log("six".getBytes());
            context.getLogger().log("seven", LogLevel.WARN);
            context.getLogger().log("eight", LogLevel.DEBUG);
            return null;
        }
    }"""

    def test_events_keep_their_order(self, start: Start) -> None:
        guest = start(self.SOURCE)
        guest.invoke()
        expected = ["one\n", "two\n", "three\n", "four\nfive", "six", "[WARN] seven", "[DEBUG] eight"]
        assert guest.events() == expected
        assert guest.plain() == ""

    def test_lines_without_a_channel(self, start: Start) -> None:
        guest = start(self.SOURCE, framed=False)
        guest.invoke()
        assert guest.plain().splitlines()[:6] == ["one", "two", "three", "four", "five", "six"]

    def test_json(self, start: Start) -> None:
        guest = start(self.SOURCE, variables={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"})
        guest.invoke()
        events = guest.events()
        assert events[:3] == ["one\n", "two\n", "three\n"]
        records = [json.loads(event) for event in events[3:]]
        assert all(record.pop("timestamp").endswith("Z") for record in records)
        assert records[0] == {"level": "UNDEFINED", "message": "four\nfive", "AWSRequestId": "request-1"}
        assert [(record["level"], record["message"]) for record in records[1:]] == [
            ("UNDEFINED", "six"),
            ("WARN", "seven"),
        ]

    def test_errors_in_json(self, start: Start) -> None:
        guest = start(handler('throw new Exception("bad");'), "H::handle", variables={"AWS_LAMBDA_LOG_FORMAT": "JSON"})
        guest.invoke()
        record = json.loads(guest.events()[-1])
        assert (record["level"], record["AWSRequestId"]) == ("ERROR", "request-1")
        assert record["message"].startswith("bad: java.lang.Exception\n")
