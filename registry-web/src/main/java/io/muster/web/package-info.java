/**
 * The WAR. Everything of JAX-RS and servlets is here and below; what the registry does is in core. Start with {@link
 * io.muster.web.Wiring}, which starts the registry, and {@link io.muster.web.device.RegistrationResource}.
 */
package io.muster.web;
