// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class MemoryWatchTest {

    private final FakeHeap heap = new FakeHeap();
    private final AtomicLong ends = new AtomicLong();
    private final MemoryWatch watch = new MemoryWatch(heap, ends::incrementAndGet);

    /** A heap of 1,000 bytes. */
    private static final class FakeHeap implements MemoryWatch.Heap {

        private long free = 1000;
        private long real = 1000;
        private long taken;

        @Override
        public long free() {
            return free;
        }

        @Override
        public long most() {
            return 1000;
        }

        @Override
        public void take(long bytes) {
            if (bytes > real) {
                throw new OutOfMemoryError();
            }
            taken += bytes;
        }
    }

    @Test
    void memoryThatIsThereIsNotAskedFor() {
        watch.look(false);

        assertThat(heap.taken).isZero();
        assertThat(ends).hasValue(0);
    }

    @Test
    void garbageThatCanBeCollectedIsNotTheEnd() {
        heap.free = 0;

        watch.look(false);

        assertThat(heap.taken).isPositive();
        assertThat(ends).hasValue(0);
    }

    @Test
    void memoryThatCannotBeHadIsTheEnd() {
        heap.free = 0;
        heap.real = 0;

        watch.look(false);

        assertThat(ends).hasValue(1);
    }

    @Test
    void arrayThatWasTooLargeIsNotTheEnd() {
        watch.look(true);

        assertThat(heap.taken).isPositive();
        assertThat(ends).hasValue(0);
    }

    @Test
    void threadThatGotNoMemoryIsTheEndWhateverTheBooksSay() {
        heap.real = 0;

        watch.look(true);

        assertThat(ends).hasValue(1);
    }
}
