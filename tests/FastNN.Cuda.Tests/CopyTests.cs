using FastNN.Cli;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>Bytes to and from the device: staged uploads, downloads in pieces, readbacks, feeds.</summary>
internal sealed class CopyTests : CudaFixture
{
    /// <summary>Around a segment of the staging ring, and several times around the ring.</summary>
    private static readonly int[] Sizes =
    [
        1, 63, 65, 4096, StagingRing.SegmentBytes - 1, StagingRing.SegmentBytes, StagingRing.SegmentBytes + 1,
        (StagingRing.Segments * 3 * StagingRing.SegmentBytes) + 12345,
    ];

    [TestCaseSource(nameof(Sizes))]
    public void What_goes_up_comes_down(int bytes)
    {
        using CudaDevice device = Open();
        byte[] content = Content(bytes, seed: bytes);
        Tensor tensor = Bytes(device, bytes);
        byte[] source = (byte[])content.Clone();
        device.Upload(source, tensor);
        // The source is the caller's again at once.
        Array.Clear(source);
        byte[] back = new byte[bytes];
        device.Download(tensor, back);
        Assert.That(back.AsSpan().SequenceEqual(content), Is.True);
        device.Free(tensor.Address);
    }

    [Test]
    public void Lengths_are_checked()
    {
        using CudaDevice device = Open();
        Tensor tensor = Bytes(device, 8);
        Assert.That(() => device.Upload(new byte[7], tensor), Throws.TypeOf<ShapeException>().With.Message.Contains("7 bytes"));
        Assert.That(() => device.Download(tensor, new byte[9]), Throws.TypeOf<ShapeException>().With.Message.Contains("9 bytes"));
        byte[] part = new byte[3];
        device.Upload([1, 2, 3, 4, 5, 6, 7, 8], tensor);
        device.Download(tensor, part);
        Assert.That(part, Is.EqualTo(new byte[] { 1, 2, 3 }));
        device.Free(tensor.Address);
    }

    [TestCase(DType.Int8, -3f, 253)]
    [TestCase(DType.UInt8, 200f, 200)]
    [TestCase(DType.Bool, 1f, 1)]
    public void Filling_bytes_ends_where_they_end(DType type, float value, int expected)
    {
        using CudaDevice device = Open(kernels: KernelSource.Embedded);
        Tensor around = Bytes(device, 64);
        for (int count = 1; count < 10; count++)
        {
            device.Upload(Content(64, seed: count), around);
            device.Fill(new Tensor(around.Address + count, type, new Shape(count)), value);
            byte[] filled = Content(64, seed: count), back = new byte[64];
            filled.AsSpan(count, count).Fill((byte)expected);
            device.Download(around, back);
            Assert.That(back, Is.EqualTo(filled), $"{count} from byte {count} on");
        }

        Assert.That(
            () => device.Fill(new Tensor(around.Address, DType.Float64, new Shape(2)), 0),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("one byte"));
        device.Free(around.Address);
    }

    [Test]
    public void Small_uploads_neither_wait_nor_allocate()
    {
        using CudaDevice device = Open();
        Tensor tensor = Bytes(device, 64);
        byte[] source = Content(64, seed: 1);
        device.Upload(source, tensor);
        TestGpu.Software.ResetCounters();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            device.Upload(source, tensor);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        DeviceCounts counts = TestGpu.Software.Counts();
        Assert.That((counts.Synchronizations, counts.Allocations), Is.EqualTo((0L, 0L)));
        device.Free(tensor.Address);
    }

    [Test]
    public void Downloads_come_after_what_was_launched_and_allocate_nothing()
    {
        using CudaDevice device = Open();
        Tensor values = Ints(device, new int[1000]);
        int[] back = new int[1000];
        Span<byte> bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(back.AsSpan());
        Increment(device, values);
        device.Download(values, bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 2; i <= 20; i++)
        {
            Increment(device, values);
            device.Download(values, bytes);
            if (back[999] != i || back[0] != i)
            {
                Assert.Fail($"{back[999]} after {i} increments");
            }
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.Zero);
        device.Free(values.Address);
    }

    [Test]
    public void A_readback_reads_what_was_there_when_it_began()
    {
        using CudaDevice device = Open();
        Tensor first = Ints(device, 1, 2, 3), second = Ints(device, 40);
        using IReadback readback = device.CreateReadback(first, second);
        Assert.That(() => readback.Read(0).Length, Throws.InvalidOperationException);
        readback.Begin();
        Increment(device, first);
        Assert.That(Integers(readback.Read(0)), Is.EqualTo(new[] { 1, 2, 3 }));
        Assert.That(Integers(readback.Read(1)), Is.EqualTo(new[] { 40 }));
        TestGpu.Software.ResetCounters();
        long before = GC.GetAllocatedBytesForCurrentThread();
        readback.Begin();
        int read = readback.Read(0)[0];
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(read, Is.EqualTo(2));
        Assert.That(TestGpu.Software.Counts().Synchronizations, Is.LessThanOrEqualTo(1));
        device.Free(first.Address);
        device.Free(second.Address);
    }

    [Test]
    public void A_feed_brings_batches_in_order()
    {
        using CudaDevice device = Open();
        Tensor tensor = Bytes(device, 1000), small = Bytes(device, 10);
        using IFeed feed = device.CreateFeed(1000)!;
        Assert.That(() => feed.Pull(tensor), Throws.InvalidOperationException);
        feed.Push(Content(1000, seed: 0));
        byte[] back = new byte[1000];
        for (int i = 0; i < 7; i++)
        {
            byte[] next = Content(1000, seed: i + 1);
            feed.Push(next);
            Array.Clear(next);
            Assert.That(() => feed.Push(next), Throws.InvalidOperationException, "two are on their way");
            feed.Pull(tensor);
            device.Download(tensor, back);
            Assert.That(back, Is.EqualTo(Content(1000, seed: i)));
        }

        feed.Pull(tensor);
        Assert.That(() => feed.Push(new byte[1001]), Throws.TypeOf<ShapeException>());
        feed.Push(Content(10, seed: 99));
        Assert.That(() => feed.Pull(tensor), Throws.TypeOf<ShapeException>());
        feed.Pull(small);
        device.Download(small, back.AsSpan(0, 10));
        Assert.That(back[..10], Is.EqualTo(Content(10, seed: 99)));
        device.Free(tensor.Address);
        device.Free(small.Address);
    }

    [Test]
    public void A_feed_allocates_nothing_and_waits_only_for_the_batch_before_the_last()
    {
        using CudaDevice device = Open();
        Tensor tensor = Bytes(device, 1000);
        byte[] batch = Content(1000, seed: 0);
        using IFeed feed = device.CreateFeed(1000)!;
        for (int i = 0; i < 3; i++)
        {
            feed.Push(batch);
            feed.Pull(tensor);
        }

        device.Download(tensor, batch);
        TestGpu.Software.ResetCounters();
        long before = GC.GetAllocatedBytesForCurrentThread();
        feed.Push(batch);
        feed.Pull(tensor);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(TestGpu.Software.Counts().Synchronizations, Is.Zero, "that one has come");
        device.Free(tensor.Address);
    }

    [Test]
    public void Feeds_and_readbacks_end_with_their_device()
    {
        CudaDevice device = Open();
        Tensor tensor = Bytes(device, 100);
        IFeed feed = device.CreateFeed(100)!;
        IReadback readback = device.CreateReadback(tensor);
        feed.Push(new byte[100]);
        readback.Begin();
        device.Free(tensor.Address);
        device.Dispose();
        Assert.That(() => feed.Push(new byte[100]), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => readback.Begin(), Throws.TypeOf<ObjectDisposedException>());
        feed.Dispose();
        readback.Dispose();
    }

    [Test]
    public void Many_threads_copy_at_once()
    {
        const int bytes = 1_500_000;
        using CudaDevice device = Open();
        Parallel.For(0, 4, thread =>
        {
            Tensor tensor = Bytes(device, bytes);
            byte[] back = new byte[bytes];
            for (int i = 0; i < 5; i++)
            {
                byte[] content = Content(bytes, (thread * 100) + i);
                device.Upload(content, tensor);
                device.Download(tensor, back);
                Assert.That(back.AsSpan().SequenceEqual(content), Is.True);
            }

            device.Free(tensor.Address);
        });
    }

    private static Tensor Bytes(CudaDevice device, int bytes) => new(device.Allocate(bytes), DType.UInt8, new Shape(bytes));

    private static byte[] Content(int bytes, int seed)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }

    private static int[] Integers(ReadOnlySpan<byte> bytes) =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(bytes).ToArray();
}
