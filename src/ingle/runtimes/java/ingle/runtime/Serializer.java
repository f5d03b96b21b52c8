package ingle.runtime;

import com.amazonaws.services.lambda.runtime.CustomPojoSerializer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.ServiceLoader;

/** Events to handlers' values and back: a package's own serializer if it brings one, otherwise this runtime's mapping. */
final class Serializer {
    private final CustomPojoSerializer custom;

    private Serializer(CustomPojoSerializer custom) {
        this.custom = custom;
    }

    /** Raises Fault for a package with several. */
    static Serializer of(ClassLoader loader) throws Fault {
        if (loader.getResource("META-INF/services/" + CustomPojoSerializer.class.getName()) == null) {
            return new Serializer(null);
        }
        Iterator<CustomPojoSerializer> found = ServiceLoader.load(CustomPojoSerializer.class, loader).iterator();
        Serializer serializer = new Serializer(found.hasNext() ? found.next() : null);
        if (found.hasNext()) {
            throw new Fault("Found multiple serializer implementations on the classpath: expected exactly one CustomPojoSerializer");
        }
        return serializer;
    }

    Object read(byte[] event, Type type) throws Exception {
        if (custom != null) {
            return custom.fromJson(new ByteArrayInputStream(event), type);
        }
        try {
            return FromJson.convert(JsonReader.read(new String(event, StandardCharsets.UTF_8)), type);
        } catch (JsonException problem) {
            throw new RuntimeException("An error occurred during JSON parsing", new UncheckedIOException(problem));
        }
    }

    byte[] write(Object result, Type type) throws Exception {
        if (custom != null) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            custom.toJson(result, out, type);
            return out.toByteArray();
        }
        try {
            return JsonWriter.write(ToJson.convert(result)).getBytes(StandardCharsets.UTF_8);
        } catch (JsonException problem) {
            throw new RuntimeException("An error occurred during JSON serialization of response", new UncheckedIOException(problem));
        }
    }
}
