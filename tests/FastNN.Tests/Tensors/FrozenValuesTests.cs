using System.Runtime.InteropServices;
using FastNN.Cpu;
using FastNN.Tensors;

namespace FastNN.Tests.Tensors;

/// <summary>Constants whose values come when they are read: to their place, or into a form of them alone.</summary>
internal sealed unsafe class FrozenValuesTests
{
    private const int Count = 1000;

    [TestCase(1)]
    [TestCase(3)]
    public void A_form_is_filled_without_the_values_in_their_place(int threads)
    {
        using var pool = new WorkerPool(threads);
        var data = new Counted();
        byte* place = HostMemory.Allocate(data.Length, clear: true);
        try
        {
            using var frozen = new FrozenValues(data, (nint)place);
            float* values = (float*)place;
            float* form = frozen.In(new Doubled(Count), new PoolLoader(pool), values);
            Assert.That(form[Count - 1], Is.EqualTo(2f * (Count - 1)));
            Assert.That(frozen.IsLoaded, Is.False);
            Assert.That(values[Count - 1], Is.Zero);
            Assert.That((nint)frozen.In(new Doubled(Count), new PoolLoader(pool), values), Is.EqualTo((nint)form), "made once");
            Assert.That(data.Written, Is.EqualTo(data.Parts), "each part once");
        }
        finally
        {
            HostMemory.Free(place);
        }
    }

    [TestCase(1)]
    [TestCase(3)]
    public void Values_that_a_kernel_reads_are_brought_to_their_place_once_and_forms_are_made_of_them(int threads)
    {
        using var pool = new WorkerPool(threads);
        var data = new Counted();
        byte* place = HostMemory.Allocate(data.Length, clear: true);
        try
        {
            using var frozen = new FrozenValues(data, (nint)place);
            float* values = (float*)place;
            frozen.Load(new PoolLoader(pool));
            frozen.Load();
            Assert.That(frozen.IsLoaded);
            Assert.That(values[Count - 1], Is.EqualTo(Count - 1f));
            Assert.That(frozen.In(new Doubled(Count), new PoolLoader(pool), values)[7], Is.EqualTo(14f));
            Assert.That(data.Written, Is.EqualTo(data.Parts), "each part once");
        }
        finally
        {
            HostMemory.Free(place);
        }
    }

    /// <summary>A form may be of a part of the values, as a filter's slice is.</summary>
    [Test]
    public void A_form_of_a_part_begins_at_its_place()
    {
        using var pool = new WorkerPool(1);
        var data = new Counted();
        byte* place = HostMemory.Allocate(data.Length, clear: true);
        try
        {
            using var frozen = new FrozenValues(data, (nint)place);
            Assert.That(frozen.In(new Doubled(10), new PoolLoader(pool), (float*)place + 100)[9], Is.EqualTo(2f * 109));
        }
        finally
        {
            HostMemory.Free(place);
        }
    }

    private readonly struct Doubled(int count) : IFrozenForm
    {
        private readonly int _count = count;

        public FrozenKey Key => new("doubled", _count, 1);

        public long Floats => _count;

        public void Fill(float* values, float* target)
        {
            for (int i = 0; i < _count; i++)
            {
                target[i] = 2 * values[i];
            }
        }
    }

    /// <summary>0, 1, 2 and so on, in parts of 64.</summary>
    private sealed class Counted : ConstantData
    {
        private int _written;

        public int Written => _written;

        public override int Length => Count * sizeof(float);

        public override int Parts => (Count + 63) / 64;

        public override ReadOnlySpan<byte> Origin => [];

        public override bool IsMadeLike(ConstantData other) => false;

        public override void Write(Span<byte> target, int part)
        {
            Interlocked.Increment(ref _written);
            Span<float> values = MemoryMarshal.Cast<byte, float>(target);
            for (int i = 64 * part; i < Math.Min(Count, 64 * (part + 1)); i++)
            {
                values[i] = i;
            }
        }
    }
}
