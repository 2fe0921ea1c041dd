using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

/// <summary>
/// Native floats between two zones of NaN: what reads outside gets NaN into its result, what writes outside is found by
/// <see cref="AssertIntact"/>.
/// </summary>
internal sealed unsafe class GuardedBuffer : IDisposable
{
    private const int Zone = 128;
    private const int Canary = 0x7FC0BEEF;

    private byte* _block;

    public GuardedBuffer(long count)
    {
        Count = count;
        _block = HostMemory.Allocate((count + (2 * Zone)) * sizeof(float), clear: false);
        new Span<int>(_block, checked((int)count + (2 * Zone))).Fill(Canary);
    }

    public GuardedBuffer(float[] values)
        : this(values.Length) => values.CopyTo(Span);

    public long Count { get; }

    public float* Pointer => (float*)_block + Zone;

    public Span<float> Span => new(Pointer, (int)Count);

    public void AssertIntact(string name)
    {
        Assert.That(new Span<int>(_block, Zone).IndexOfAnyExcept(Canary), Is.EqualTo(-1), $"{name}: written before its start");
        Assert.That(
            new Span<int>(Pointer + Count, Zone).IndexOfAnyExcept(Canary), Is.EqualTo(-1), $"{name}: written past its end");
    }

    public void Dispose()
    {
        HostMemory.Free(_block);
        _block = null;
    }
}
