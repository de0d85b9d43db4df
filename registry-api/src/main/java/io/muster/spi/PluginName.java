// SPDX-License-Identifier: Apache-2.0
package io.muster.spi;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The name by which fleets and configuration refer to a verifier or a credential issuer that comes from the plug-in
 * directory.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface PluginName {

    /**
     * Returns the name; its configuration is {@code muster.verifier.<name>.*} or {@code muster.issuer.<name>.*}.
     *
     * @return lower-case letters, digits and dashes, beginning with a letter
     */
    String value();
}
