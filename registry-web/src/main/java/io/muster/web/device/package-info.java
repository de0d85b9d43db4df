/** The endpoints for devices and resource servers: one resource each. */
package io.muster.web.device;
