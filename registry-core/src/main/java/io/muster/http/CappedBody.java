// SPDX-License-Identifier: Apache-2.0
package io.muster.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Serial;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** Collects a body up to a limit, and closes the connection if it is longer. */
final class CappedBody implements BodySubscriber<byte[]> {

    /** The body is longer than the limit. */
    static final class TooLongException extends IOException {

        @Serial
        private static final long serialVersionUID = 1;
    }

    private final long limit;
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private Flow.Subscription subscription;

    CappedBody(long limit) {
        this.limit = limit;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        // Request one piece at a time, so that memory never holds more than the limit and one piece.
        subscription.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> pieces) {
        if (body.isDone()) {
            return;
        }
        long more = pieces.stream().mapToLong(ByteBuffer::remaining).sum();
        if (read.size() + more > limit) {
            subscription.cancel();
            body.completeExceptionally(new TooLongException());
            return;
        }
        for (ByteBuffer piece : pieces) {
            byte[] bytes = new byte[piece.remaining()];
            piece.get(bytes);
            read.writeBytes(bytes);
        }
        subscription.request(1);
    }

    @Override
    public void onError(Throwable failure) {
        body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        body.complete(read.toByteArray());
    }
}
