package ingle.runtime;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The JSON properties of a class: public getters and fields to write, setters of any visibility and public fields to
 * read. Names follow the JavaBeans rule (getURL is "URL"); their order is that of the fields, then of the getters.
 *
 * The classes of AWS's event library are met half-way: their JSON names differ from the properties in case alone, and
 * some have no constructor without arguments, so that their private fields are set.
 */
final class Bean {
    private static final String EVENTS = "com.amazonaws.services.lambda.runtime.events.";
    private static final Map<Class<?>, Bean> KNOWN = new ConcurrentHashMap<>();

    /** One property; what is null cannot be done with it. */
    static final class Property {
        final String name;
        Method getter;
        Method setter;
        Field field;

        Property(String name) {
            this.name = name;
        }

        boolean readable() {
            return getter != null || field != null && Modifier.isPublic(field.getModifiers());
        }

        boolean writable(boolean privately) {
            return setter != null || field != null && (privately || Modifier.isPublic(field.getModifiers()));
        }

        Type writtenType() {
            return setter != null ? setter.getGenericParameterTypes()[0] : field.getGenericType();
        }

        Object get(Object bean) throws Exception {
            return unwrapped(() -> getter != null ? getter.invoke(bean) : field.get(bean));
        }

        void set(Object bean, Object value) throws Exception {
            unwrapped(() -> {
                if (setter != null) {
                    return setter.invoke(bean, value);
                }
                field.set(bean, value);
                return null;
            });
        }
    }

    /** A reflective call. */
    interface Call {
        Object call() throws ReflectiveOperationException;
    }

    /** What {@code call} gives; what the called code raises is raised as it is. */
    static Object unwrapped(Call call) throws Exception {
        try {
            return call.call();
        } catch (InvocationTargetException raised) {
            if (raised.getCause() instanceof Error) {
                throw (Error) raised.getCause();
            }
            throw raised.getCause() instanceof Exception ? (Exception) raised.getCause() : raised;
        }
    }

    final boolean event;
    private final Class<?> type;
    private final Map<String, Property> properties = new LinkedHashMap<>();
    private final Map<String, Property> byLowerCase = new LinkedHashMap<>();
    private final Method[] components;

    static Bean of(Class<?> type) {
        return KNOWN.computeIfAbsent(type, Bean::new);
    }

    private Bean(Class<?> type) {
        this.type = type;
        this.event = type.getName().startsWith(EVENTS);
        this.components = components(type);
        if (components != null) {
            for (Method component : components) {
                property(component.getName()).getter = open(component);
            }
        }
        collect(type);
        for (Property property : properties.values()) {
            byLowerCase.put(property.name.toLowerCase(Locale.ROOT), property);
        }
    }

    private void collect(Class<?> type) {
        List<Class<?>> line = new ArrayList<>();
        for (Class<?> one = type; one != null && one != Object.class; one = one.getSuperclass()) {
            line.add(0, one);
        }
        for (Class<?> one : line) {
            for (Field field : one.getDeclaredFields()) {
                if (!field.isSynthetic() && (field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0) {
                    property(field.getName()).field = open(field);
                }
            }
        }
        Method[] getters = type.getMethods();
        Arrays.sort(getters, Comparator.comparing(Method::getName));
        for (Method method : getters) {
            addGetter(method);
        }
        for (Class<?> one : line) {
            for (Method method : one.getDeclaredMethods()) {
                addSetter(method);
            }
        }
    }

    private void addGetter(Method method) {
        Class<?> result = method.getReturnType();
        boolean ours = method.getDeclaringClass() != Object.class && !Modifier.isStatic(method.getModifiers());
        if (!ours || method.isBridge() || method.getParameterCount() != 0 || result == void.class) {
            return;
        }
        String name = suffix(method.getName(), "get");
        if (name == null && (result == boolean.class || result == Boolean.class)) {
            name = suffix(method.getName(), "is");
        }
        if (name != null) {
            Property property = property(name);
            if (property.getter == null || method.getName().startsWith("get")) {
                property.getter = open(method);
            }
        }
    }

    private void addSetter(Method method) {
        boolean fits = method.getParameterCount() == 1 && !Modifier.isStatic(method.getModifiers()) && !method.isBridge();
        String name = fits ? suffix(method.getName(), "set") : null;
        if (name == null) {
            return;
        }
        Property property = property(name);
        Class<?> wanted = property.getter == null ? null : property.getter.getReturnType();
        if (property.setter == null || method.getParameterTypes()[0] == wanted) {
            property.setter = open(method);
        }
    }

    private Property property(String name) {
        return properties.computeIfAbsent(name, Property::new);
    }

    /** The property that an accessor is for, null if it is for none. */
    private static String suffix(String method, String prefix) {
        if (!method.startsWith(prefix) || method.length() == prefix.length()) {
            return null;
        }
        String name = method.substring(prefix.length());
        if (Character.isLowerCase(name.charAt(0))) {
            return null;
        }
        boolean acronym = name.length() > 1 && Character.isUpperCase(name.charAt(0)) && Character.isUpperCase(name.charAt(1));
        return acronym ? name : Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    private static <T extends AccessibleObject> T open(T member) {
        try {
            member.setAccessible(true);
        } catch (RuntimeException closed) {
            // A member of a module that is not open; public ones work without.
        }
        return member;
    }

    Iterable<Property> properties() {
        return properties.values();
    }

    /** The property that a JSON name is for, null if it is for none. */
    Property named(String name) {
        Property exact = properties.get(name);
        return exact == null && event ? byLowerCase.get(name.toLowerCase(Locale.ROOT)) : exact;
    }

    boolean isRecord() {
        return components != null;
    }

    /** The accessors of a record's components, in the order of its constructor's arguments. */
    Method[] recordComponents() {
        return components;
    }

    Object record(Object[] values) throws Exception {
        Class<?>[] types = Arrays.stream(components).map(Method::getReturnType).toArray(Class<?>[]::new);
        Constructor<?> constructor = open(type.getDeclaredConstructor(types));
        return unwrapped(() -> constructor.newInstance(values));
    }

    private static Method[] components(Class<?> type) {
        if (type.getSuperclass() == null || !type.getSuperclass().getName().equals("java.lang.Record")) {
            return null;
        }
        try {
            // Java 16 and later, and this is compiled for Java 8.
            Object[] found = (Object[]) Class.class.getMethod("getRecordComponents").invoke(type);
            Method[] accessors = new Method[found.length];
            for (int index = 0; index < found.length; index++) {
                accessors[index] = (Method) found[index].getClass().getMethod("getAccessor").invoke(found[index]);
            }
            return accessors;
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** A new, empty instance. */
    Object create() throws Exception {
        if (type.isInterface() || Modifier.isAbstract(type.getModifiers())) {
            throw new JsonException("Cannot construct instance of `" + type.getName() + "` (no Creators, like default "
                    + "constructor, exist): abstract types either need to be mapped to concrete types, have custom "
                    + "deserializer, or contain additional type information");
        }
        Constructor<?> constructor;
        try {
            constructor = open(type.getDeclaredConstructor());
        } catch (NoSuchMethodException without) {
            if (event) {
                return allocate();
            }
            throw new JsonException("Cannot construct instance of `" + type.getName() + "` (no Creators, like default "
                    + "constructor, exist): cannot deserialize from Object value (no delegate- or property-based Creator)");
        }
        return unwrapped(constructor::newInstance);
    }

    /** An instance that no constructor has seen. */
    private Object allocate() throws ReflectiveOperationException {
        Class<?> unsafe = Class.forName("sun.misc.Unsafe");
        Field instance = open(unsafe.getDeclaredField("theUnsafe"));
        return unsafe.getMethod("allocateInstance", Class.class).invoke(instance.get(null), type);
    }
}
