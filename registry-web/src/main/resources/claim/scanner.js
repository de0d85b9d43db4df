// SPDX-License-Identifier: Apache-2.0
// The camera, and what it sees: by the browser's own detector, or by the one that comes with the page.

import { read } from './code.js';
import { Notice, bad, info } from './parts.js';
import { html, useEffect, useRef, useState } from './preact.js';
import { t } from './texts.js';

const PAUSE = 120;
const LONGEST_SIDE = 960;

/** Tells whether there can be a camera: not on a page without TLS, unless it is on this machine. */
export const isPossible = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** Returns a function that finds the texts of the QR codes in a video. */
export async function detector() {
    if ('BarcodeDetector' in window) {
        try {
            if ((await window.BarcodeDetector.getSupportedFormats()).includes('qr_code')) {
                const native = new window.BarcodeDetector({ formats: ['qr_code'] });
                let works = true;
                const other = lazily();
                return async (video) => {
                    if (works) {
                        try {
                            return (await native.detect(video)).map((found) => found.rawValue);
                        } catch {
                            // Some phones have the interface and nothing behind it.
                            works = false;
                        }
                    }
                    return other(video);
                };
            }
        } catch {
            // As if there were none.
        }
    }
    return lazily();
}

function lazily() {
    const canvas = document.createElement('canvas');
    let decode = null;
    return async (video) => {
        decode ??= (await import('./vendor/qr/decode.js')).decodeQR;
        const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
        canvas.width = Math.max(1, Math.round(video.videoWidth * scale));
        canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
        const context = canvas.getContext('2d', { willReadFrequently: true });
        context.drawImage(video, 0, 0, canvas.width, canvas.height);
        try {
            return [decode(context.getImageData(0, 0, canvas.width, canvas.height))];
        } catch {
            // There is no code in this picture.
            return [];
        }
    };
}

/** Returns the key of the text for a camera that cannot be used. */
export function reason(error) {
    switch (error?.name) {
        case 'NotAllowedError':
        case 'SecurityError':
            return 'camera-forbidden';
        case 'NotFoundError':
        case 'OverconstrainedError':
            return 'camera-none';
        case 'NotReadableError':
        case 'AbortError':
            return 'camera-busy';
        default:
            return 'camera-failed';
    }
}

/** The camera's picture until there is a code in it. */
export function Scanner({ pages, onCode, onFault, onStop }) {
    const video = useRef(null);
    const stop = useRef(null);
    const [notice, setNotice] = useState(info(t('camera-starting')));
    const [track, setTrack] = useState(null);
    const [light, setLight] = useState(false);

    useEffect(() => {
        let over = false;
        let stream = null;
        const run = async () => {
            try {
                stream = await navigator.mediaDevices.getUserMedia({
                    audio: false,
                    video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } },
                });
                if (over) {
                    return;
                }
                video.current.srcObject = stream;
                await video.current.play();
                setTrack(stream.getVideoTracks()[0] ?? null);
                setNotice(info(t('camera-hold')));
                await look(await detector());
            } catch (error) {
                if (!over) {
                    onFault(reason(error));
                }
            } finally {
                stream?.getTracks().forEach((each) => each.stop());
            }
        };
        const look = async (detect) => {
            while (!over) {
                if (video.current.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.current.videoWidth > 0) {
                    for (const text of await detect(video.current)) {
                        const found = read(text, pages);
                        if (over) {
                            return;
                        }
                        if (found.code) {
                            navigator.vibrate?.(80);
                            onCode(found.code);
                            return;
                        }
                        setNotice(bad(found.elsewhere ? t('scan-elsewhere', { host: found.elsewhere }) : t('scan-other')));
                    }
                }
                await new Promise((resolve) => setTimeout(resolve, PAUSE));
            }
        };
        void run();
        stop.current?.focus();
        return () => {
            over = true;
            stream?.getTracks().forEach((each) => each.stop());
        };
    }, []);

    const hasLight = Boolean(track?.getCapabilities?.().torch);
    const toggle = async () => {
        try {
            await track.applyConstraints({ advanced: [{ torch: !light }] });
            setLight(!light);
        } catch {
            setTrack(null);
        }
    };

    return html`<div class="scanner">
        <div class="viewfinder"><video ref=${video} playsinline muted aria-label=${t('camera-picture')}></video></div>
        <${Notice} notice=${notice} />
        <div class="actions">
            <button type="button" ref=${stop} onClick=${onStop}>${t('scan-stop')}</button>
            ${hasLight &&
            html`<button type="button" aria-pressed=${light ? 'true' : 'false'} onClick=${toggle}>${t('scan-light')}</button>`}
        </div>
    </div>`;
}
