/** Claim codes to print: QR codes as pictures, sheets of labels, and lists for label printers. */
package io.muster.web.label;
