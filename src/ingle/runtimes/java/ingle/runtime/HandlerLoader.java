package ingle.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Finds the handler that the setting names: "package.Class", which implements one of AWS's interfaces, or
 * "package.Class::method", where any public method will do that takes an event, a context, both or streams.
 */
final class HandlerLoader {
    private final ClassLoader loader;
    private final Serializer serializer;

    HandlerLoader(ClassLoader loader, Serializer serializer) {
        this.loader = loader;
        this.serializer = serializer;
    }

    /** Raises Fault; a fatal one if the function's own code failed. */
    Handler load(String setting) throws Fault {
        int colons = setting.indexOf("::");
        String name = colons < 0 ? setting : setting.substring(0, colons);
        String method = colons < 0 ? null : setting.substring(colons + 2);
        if (name.isEmpty() || method != null && method.isEmpty()) {
            throw new Fault("Invalid handler: `" + setting + "'");
        }
        Class<?> type = find(name);
        try {
            return method == null ? interfaces(type) : methods(type, method);
        } catch (LinkageError problem) {
            throw Fault.loading(problem, name, true);
        }
    }

    private Class<?> find(String name) throws Fault {
        try {
            return Class.forName(name, true, loader);
        } catch (ClassNotFoundException problem) {
            throw Fault.classNotFound(problem, name);
        } catch (NoClassDefFoundError problem) {
            throw Fault.loading(problem, name, false);
        } catch (Throwable problem) {
            throw Fault.loading(problem, name, true);
        }
    }

    private Handler interfaces(Class<?> type) throws Fault {
        if (RequestStreamHandler.class.isAssignableFrom(type)) {
            RequestStreamHandler handler = (RequestStreamHandler) create(type);
            return (event, context) -> {
                ByteArrayOutputStream result = new ByteArrayOutputStream();
                handler.handleRequest(new ByteArrayInputStream(event), result, context);
                return result.toByteArray();
            };
        }
        if (RequestHandler.class.isAssignableFrom(type)) {
            return values(type);
        }
        throw new Fault("Class does not implement an appropriate handler interface: " + type.getName());
    }

    @SuppressWarnings("unchecked")
    private Handler values(Class<?> type) throws Fault {
        Type input = Types.argument(type, RequestHandler.class, 0);
        Type output = Types.argument(type, RequestHandler.class, 1);
        RequestHandler<Object, Object> handler = (RequestHandler<Object, Object>) create(type);
        return (event, context) -> serializer.write(handler.handleRequest(serializer.read(event, input), context), output);
    }

    private Handler methods(Class<?> type, String name) throws Fault {
        boolean declared = RequestHandler.class.isAssignableFrom(type) || RequestStreamHandler.class.isAssignableFrom(type);
        if (declared && name.equals("handleRequest")) {
            return interfaces(type);
        }
        List<Method> candidates = new ArrayList<>();
        for (Method method : type.getMethods()) {
            if (method.getName().equals(name) && !method.isBridge() && fits(method.getParameterTypes())) {
                candidates.add(method);
            }
        }
        if (candidates.isEmpty()) {
            throw new Fault("No public method named " + name + " with appropriate method signature found on class " + type.getName());
        }
        // Of overloaded methods the one that takes a context, then the one that takes more.
        candidates.sort(Comparator.comparing((Method method) -> !takesContext(method.getParameterTypes()))
                .thenComparing(method -> -method.getParameterCount()));
        Method method = candidates.get(0);
        Object instance = Modifier.isStatic(method.getModifiers()) ? null : create(type);
        method.setAccessible(true);
        return takesStreams(method.getParameterTypes()) ? streams(method, instance) : event(method, instance, type);
    }

    private static boolean takesContext(Class<?>[] parameters) {
        return parameters.length > 0 && parameters[parameters.length - 1] == Context.class;
    }

    private static boolean takesStreams(Class<?>[] parameters) {
        return parameters.length > 0 && (parameters[0] == InputStream.class || parameters[0] == OutputStream.class);
    }

    private static boolean fits(Class<?>[] parameters) {
        int count = parameters.length - (takesContext(parameters) ? 1 : 0);
        boolean both = count == 2 && parameters[0] == InputStream.class && parameters[1] == OutputStream.class;
        return count < 2 || both;
    }

    private static Handler streams(Method method, Object instance) {
        Class<?>[] parameters = method.getParameterTypes();
        return (event, context) -> {
            ByteArrayOutputStream result = new ByteArrayOutputStream();
            Object[] arguments = new Object[parameters.length];
            for (int index = 0; index < parameters.length; index++) {
                arguments[index] = parameters[index] == InputStream.class ? new ByteArrayInputStream(event)
                        : parameters[index] == OutputStream.class ? result : context;
            }
            call(method, instance, arguments);
            return result.toByteArray();
        };
    }

    private Handler event(Method method, Object instance, Class<?> type) {
        Map<TypeVariable<?>, Type> bindings = Types.bindings(type);
        boolean withContext = takesContext(method.getParameterTypes());
        int count = method.getParameterCount();
        boolean withEvent = count > (withContext ? 1 : 0);
        Type input = withEvent ? Types.resolve(method.getGenericParameterTypes()[0], bindings) : null;
        Type output = Types.resolve(method.getGenericReturnType(), bindings);
        return (event, context) -> {
            Object[] arguments = new Object[count];
            if (withEvent) {
                arguments[0] = serializer.read(event, input);
            }
            if (withContext) {
                arguments[count - 1] = context;
            }
            return serializer.write(call(method, instance, arguments), output);
        };
    }

    private static Object call(Method method, Object instance, Object[] arguments) throws Throwable {
        try {
            return method.invoke(instance, arguments);
        } catch (InvocationTargetException raised) {
            throw raised.getCause() == null ? raised : raised.getCause();
        }
    }

    private static Object create(Class<?> type) throws Fault {
        Constructor<?> constructor;
        try {
            constructor = type.getConstructor();
            constructor.setAccessible(true);
        } catch (NoSuchMethodException without) {
            boolean inner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
            throw new Fault("Class " + type.getName() + (inner
                    ? " cannot be instantiated because it is a non-static inner class"
                    : " has no public zero-argument constructor"));
        }
        try {
            return constructor.newInstance();
        } catch (InvocationTargetException raised) {
            throw Fault.constructing(raised.getCause() == null ? raised : raised.getCause());
        } catch (ReflectiveOperationException problem) {
            throw Fault.constructing(problem);
        }
    }
}
