/**
 * One question over HTTP to another system, bounded in time and size. {@link io.muster.http.Transport} asks;
 * {@link io.muster.http.Document} is what needs nothing but a JSON document.
 */
package io.muster.http;
