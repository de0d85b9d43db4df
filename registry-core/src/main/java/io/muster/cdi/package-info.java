/**
 * Makes the core a CDI module. A {@link io.muster.cdi.Part} is a bean of which each registry has one. A process has one
 * registry, beside those of the warm-up and of tests. Start with {@link io.muster.cdi.Parts}.
 */
package io.muster.cdi;
