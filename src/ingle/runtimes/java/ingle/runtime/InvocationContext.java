package ingle.runtime;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.util.LinkedHashMap;
import java.util.Map;

/** The context of one invocation, from the headers of the poll and the process's environment. */
final class InvocationContext implements Context {
    private final Map<String, String> headers;
    private final Map<String, String> variables;
    private final LambdaLogger logger;
    private final long deadline;
    private final CognitoIdentity identity;
    private final ClientContext client;

    /** Raises JsonException for a header that is not JSON. */
    InvocationContext(Map<String, String> headers, Map<String, String> variables, LambdaLogger logger) throws JsonException {
        this.headers = headers;
        this.variables = variables;
        this.logger = logger;
        String time = headers.get("lambda-runtime-deadline-ms");
        this.deadline = time == null ? 0 : Long.parseLong(time);
        this.identity = new Identity(document(headers.get("lambda-runtime-cognito-identity")));
        Map<?, ?> client = document(headers.get("lambda-runtime-client-context"));
        this.client = client == null ? null : new Caller(client);
    }

    private static Map<?, ?> document(String json) throws JsonException {
        Object value = json == null || json.isEmpty() ? null : JsonReader.read(json);
        return value instanceof Map ? (Map<?, ?>) value : null;
    }

    private static String text(Map<?, ?> members, String name, String otherwise) {
        Object value = members == null ? null : members.get(name);
        return value == null ? otherwise : value.toString();
    }

    private static Map<String, String> texts(Object members) {
        if (!(members instanceof Map)) {
            return null;
        }
        Map<String, String> result = new LinkedHashMap<>();
        for (Map.Entry<?, ?> member : ((Map<?, ?>) members).entrySet()) {
            Object value = member.getValue();
            boolean nested = value instanceof Map || value instanceof Iterable;
            result.put((String) member.getKey(), nested ? JsonWriter.write(value) : value == null ? null : value.toString());
        }
        return result;
    }

    @Override
    public String getAwsRequestId() {
        return headers.get("lambda-runtime-aws-request-id");
    }

    @Override
    public String getInvokedFunctionArn() {
        return headers.get("lambda-runtime-invoked-function-arn");
    }

    @Override
    public String getTenantId() {
        return headers.get("lambda-runtime-aws-tenant-id");
    }

    @Override
    public String getXrayTraceId() {
        return headers.get("lambda-runtime-trace-id");
    }

    @Override
    public String getLogGroupName() {
        return variables.get("AWS_LAMBDA_LOG_GROUP_NAME");
    }

    @Override
    public String getLogStreamName() {
        return variables.get("AWS_LAMBDA_LOG_STREAM_NAME");
    }

    @Override
    public String getFunctionName() {
        return variables.get("AWS_LAMBDA_FUNCTION_NAME");
    }

    @Override
    public String getFunctionVersion() {
        return variables.get("AWS_LAMBDA_FUNCTION_VERSION");
    }

    @Override
    public int getMemoryLimitInMB() {
        String memory = variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
        return memory == null ? 0 : Integer.parseInt(memory);
    }

    @Override
    public int getRemainingTimeInMillis() {
        return (int) Math.max(0, Math.min(Integer.MAX_VALUE, deadline - System.currentTimeMillis()));
    }

    @Override
    public LambdaLogger getLogger() {
        return logger;
    }

    @Override
    public CognitoIdentity getIdentity() {
        return identity;
    }

    @Override
    public ClientContext getClientContext() {
        return client;
    }

    private static final class Identity implements CognitoIdentity {
        private final Map<?, ?> given;

        Identity(Map<?, ?> given) {
            this.given = given;
        }

        @Override
        public String getIdentityId() {
            return text(given, "cognitoIdentityId", "");
        }

        @Override
        public String getIdentityPoolId() {
            return text(given, "cognitoIdentityPoolId", "");
        }
    }

    private static final class Caller implements ClientContext {
        private final Client client;
        private final Map<String, String> custom;
        private final Map<String, String> environment;

        Caller(Map<?, ?> given) {
            this.client = given.get("client") instanceof Map ? new Application((Map<?, ?>) given.get("client")) : null;
            this.custom = texts(given.get("custom"));
            this.environment = texts(given.get("env"));
        }

        @Override
        public Client getClient() {
            return client;
        }

        @Override
        public Map<String, String> getCustom() {
            return custom;
        }

        @Override
        public Map<String, String> getEnvironment() {
            return environment;
        }
    }

    private static final class Application implements Client {
        private final Map<?, ?> given;

        Application(Map<?, ?> given) {
            this.given = given;
        }

        @Override
        public String getInstallationId() {
            return text(given, "installation_id", null);
        }

        @Override
        public String getAppTitle() {
            return text(given, "app_title", null);
        }

        @Override
        public String getAppVersionName() {
            return text(given, "app_version_name", null);
        }

        @Override
        public String getAppVersionCode() {
            return text(given, "app_version_code", null);
        }

        @Override
        public String getAppPackageName() {
            return text(given, "app_package_name", null);
        }
    }
}
