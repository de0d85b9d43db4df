/**
 * The WAR. All code that uses JAX-RS and servlets is here and below; the registry's own work is in core. Start with
 * {@link io.muster.web.Wiring}, which starts the registry, and {@link io.muster.web.device.RegistrationResource}.
 */
package io.muster.web;
