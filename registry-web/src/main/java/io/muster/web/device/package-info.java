/** What devices and resource servers call: one resource per endpoint. */
package io.muster.web.device;
