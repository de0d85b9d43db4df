// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import jakarta.ws.rs.container.DynamicFeature;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.FeatureContext;
import jakarta.ws.rs.ext.Provider;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Set;

/**
 * Gives each resource method of the API of operators, and of that of users, its {@link QueryFilter}. A client that adds {@code dryRun=true} to a request must not
 * find that the request was carried out. A method takes the parameters that {@link QueryNames} declares, and none otherwise, so that no
 * method can forget this.
 */
@Provider
public class QueryFeature implements DynamicFeature {

    private static final Set<String> STRICT = Set.of("io.muster.web.operator", "io.muster.web.user");

    @Override
    public void configure(ResourceInfo resource, FeatureContext context) {
        if (isStrict(resource.getResourceClass())) {
            context.register(new QueryFilter(names(resource.getResourceClass(), resource.getResourceMethod())));
        }
    }

    /** By package: a server may hand out a subclass that it made, in the same one. */
    private static boolean isStrict(Class<?> type) {
        return STRICT.contains(type.getPackageName());
    }

    /** Returns what the method declares, or what it declares where a server's subclass overrides it. */
    static List<String> names(Class<?> type, Method method) {
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            try {
                QueryNames names = at.getDeclaredMethod(method.getName(), method.getParameterTypes())
                        .getAnnotation(QueryNames.class);
                if (names != null) {
                    return List.of(names.value());
                }
            } catch (NoSuchMethodException e) {
                // The class above may have it.
            }
        }
        return List.of();
    }
}
