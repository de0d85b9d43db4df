/** The registration of a device, told in order. Start with {@link io.muster.registration.Registrar#register}. */
package io.muster.registration;
