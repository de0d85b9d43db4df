/**
 * The life of a device as operators shape and see it: changes of its data, its end, and its timeline. Start with
 * {@link io.muster.lifecycle.DeviceLifecycle}.
 */
package io.muster.lifecycle;
