package io.muster.micro;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;

/**
 * Refuses requests whose path cannot be decoded, such as {@code /%zz}, with 400 and no body. Left alone, the server logs the
 * exception and answers an empty 200 before the registry is asked; it does so too to a path that ends with a dot when a buffer
 * of its decoder happens to be full.
 *
 * <p>It is a probe of Grizzly, told of every request before anybody handles it, which puts a path above the root in the place of one
 * that cannot be decoded: to that the server answers 400. Grizzly's classes are in a class loader of the server's own, so all are
 * called by name.
 */
final class UndecodablePaths implements InvocationHandler {

    private static final String HTTP = "org.glassfish.grizzly.http.";

    private static final String ABOVE_THE_ROOT = "/..";

    private final Method packet;
    private final Method uri;
    private final Method decode;
    private final Method replace;

    private UndecodablePaths(ClassLoader server) throws ReflectiveOperationException {
        packet = server.loadClass(HTTP + "server.Request").getMethod("getRequest");
        uri = packet.getReturnType().getMethod("getRequestURIRef");
        decode = uri.getReturnType().getMethod("getDecodedRequestURIBC");
        replace = uri.getReturnType().getMethod("setURI", String.class);
    }

    /** Watches every listener that is open now. */
    static void refuse(ClassLoader server) throws ReflectiveOperationException {
        Class<?> probe = server.loadClass(HTTP + "server.HttpServerProbe");
        Object watch = Proxy.newProxyInstance(server, new Class<?>[] {probe}, new UndecodablePaths(server));
        Class<?> service = server.loadClass("com.sun.enterprise.v3.services.impl.GrizzlyService");
        Field proxies = service.getDeclaredField("proxies");
        proxies.setAccessible(true);
        Class<?> listenerType = server.loadClass("org.glassfish.grizzly.config.GenericGrizzlyListener");
        Class<?> filterType = server.loadClass(HTTP + "server.HttpServerFilter");
        Class<?> monitoring = server.loadClass("org.glassfish.grizzly.monitoring.MonitoringConfig");
        Object grizzly = server.loadClass("org.glassfish.internal.api.Globals")
                .getMethod("get", Class.class)
                .invoke(null, service);
        for (Object proxy : (Iterable<?>) proxies.get(grizzly)) {
            Object listener =
                    proxy.getClass().getMethod("getUnderlyingListener").invoke(proxy);
            if (listenerType.isInstance(listener)) {
                List<?> filters = (List<?>)
                        listenerType.getMethod("getFilters", Class.class).invoke(listener, filterType);
                for (Object filter : filters) {
                    Object probes = filterType.getMethod("getMonitoringConfig").invoke(filter);
                    monitoring.getMethod("addProbes", Object[].class).invoke(probes, (Object) probesOf(probe, watch));
                }
            }
        }
    }

    private static Object[] probesOf(Class<?> probe, Object watch) {
        Object[] probes = (Object[]) Array.newInstance(probe, 1);
        probes[0] = watch;
        return probes;
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws ReflectiveOperationException {
        return switch (method.getName()) {
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            case "toString" -> "UndecodablePaths";
            case "onRequestReceiveEvent" -> check(arguments[2]);
            default -> null;
        };
    }

    private Object check(Object request) throws ReflectiveOperationException {
        Object path = uri.invoke(packet.invoke(request));
        try {
            decode.invoke(path);
        } catch (InvocationTargetException e) {
            replace.invoke(path, ABOVE_THE_ROOT);
        }
        return null;
    }
}
