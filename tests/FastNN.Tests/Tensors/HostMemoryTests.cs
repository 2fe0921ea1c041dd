using System.Globalization;
using System.Runtime.InteropServices;
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
    [Platform("Linux")]
    [NonParallelizable]
    public void A_large_block_goes_back_to_the_system()
    {
        const int count = 256, kept = 16;
        const long bytes = 1 << 20;

        // From now on the C library's allocator would keep blocks of that size, and as one of 16 stays, those between as well.
        NativeMemory.Free(NativeMemory.Alloc((nuint)(2 * bytes)));
        byte** blocks = stackalloc byte*[count];
        for (int i = 0; i < count; i++)
        {
            blocks[i] = HostMemory.Allocate(bytes, clear: false);
            new Span<byte>(blocks[i], (int)bytes).Fill(1);
        }

        long held = ResidentBytes();
        Free(isKept: false);
        long rest = ResidentBytes();
        Free(isKept: true);
        Assert.That(held - rest, Is.GreaterThan(count * bytes / 2));

        void Free(bool isKept)
        {
            for (int i = 0; i < count; i++)
            {
                if (i % kept == 0 == isKept)
                {
                    HostMemory.Free(blocks[i]);
                }
            }
        }
    }

    private static long ResidentBytes() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

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
