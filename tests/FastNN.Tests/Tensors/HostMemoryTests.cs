using FastNN.Tensors;

namespace FastNN.Tests.Tensors;

internal sealed unsafe class HostMemoryTests
{
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(63)]
    [TestCase(64)]
    [TestCase(65)]
    [TestCase(1_000_003)]
    public void BlocksAreAlignedClearedAndCounted(long bytes)
    {
        long blocks = HostMemory.LiveBlocks, live = HostMemory.LiveBytes;
        byte* block = HostMemory.Allocate(bytes, clear: true);
        Assert.That((long)block % HostMemory.Alignment, Is.Zero);
        Assert.That(new ReadOnlySpan<byte>(block, (int)bytes).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(blocks + 1));
        Assert.That(HostMemory.LiveBytes, Is.EqualTo(live + bytes));
        new Span<byte>(block, (int)bytes).Fill(0xFF);
        HostMemory.Free(block);
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(blocks));
        Assert.That(HostMemory.LiveBytes, Is.EqualTo(live));
    }

    [Test]
    public void NothingIsFreedForNull()
    {
        long blocks = HostMemory.LiveBlocks;
        HostMemory.Free(null);
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(blocks));
    }

    [TestCase(-1)]
    [TestCase(long.MaxValue)]
    public void ImpossibleSizesAreRefused(long bytes) =>
        Assert.That(() => { HostMemory.Allocate(bytes, clear: false); }, Throws.TypeOf<ArgumentOutOfRangeException>());
}
