using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

/// <summary>
/// The guard of a step on the CPU, beside plain arithmetic in double; <see cref="StepFixture"/> has it inside steps on every
/// device.
/// </summary>
internal sealed class GuardKernelTests : DeviceFixture
{
    [Test]
    public void The_norm_and_the_guard_are_those_of_loss_and_gradients(
        [Values(1, 7, 33, 5000, 40_001)] int count, [Values(1f, float.NaN, float.PositiveInfinity)] float loss,
        [Values] bool badGradient)
    {
        float[] gradients = Draw(count);
        double norm = Math.Sqrt(gradients.Sum(g => (double)g * g));
        if (badGradient)
        {
            gradients[count / 2] = float.NaN;
        }

        foreach (IDevice device in (IDevice[])[One, Two])
        {
            using var block = new Block(device, gradients, [loss], new float[4], new float[3 * UpdateScalars.Row]);
            device.Updates.GuardNorm(block[0], new Tensor(block[1].Address, DType.Float32, default(Shape)), block[2], block[3]);
            float[] results = block.Read(2), scalars = block.Read(3);
            bool good = float.IsFinite(loss) && !badGradient;
            Assert.That(results[0], Is.EqualTo(loss));
            Assert.That(results[1], badGradient ? Is.NaN : Is.EqualTo(norm).Within(1e-6 * norm));
            Assert.That(results[3], good ? Is.Zero : Is.NaN);
            Assert.That(
                scalars.Select((value, i) => float.IsNaN(value) == (i % UpdateScalars.Row == UpdateScalars.Guard && !good)),
                Has.All.True);
        }
    }

    [Test]
    public void Gradients_are_scaled_to_the_largest_norm_and_cut(
        [Values(1f, 0.25f)] float factor, [Values(0.5f, 1e9f)] float largestNorm,
        [Values(0.01f, float.PositiveInfinity)] float largest)
    {
        float[] gradients = Draw(1001);
        double norm = factor * Math.Sqrt(gradients.Sum(g => (double)g * g));
        double scale = factor * Math.Min(1, largestNorm / norm);
        using var block = new Block(
            Two, gradients, [factor, largestNorm, largest, 0], new float[4], new float[UpdateScalars.Row]);
        Two.Updates.GuardNorm(block[0], null, block[2], block[3]);
        Two.Updates.GuardScale(block[0], block[1], block[2]);
        Near.Check("gradients", block.Read(0), Array.ConvertAll(gradients, g => Math.Clamp(g * scale, -largest, largest)), 1e-6);
    }

    [Test]
    public void The_largest_magnitude_is_that_of_all_gradients_and_may_be_the_norm([Values(1, 7, 33, 5000, 140_001)] int count)
    {
        float[] gradients = Draw(count);
        float largest = gradients.Max(Math.Abs);
        foreach (IDevice device in (IDevice[])[One, Two])
        {
            using var block = new Block(
                device, gradients, [1, largest / 4, float.PositiveInfinity, 1], new float[4], new float[UpdateScalars.Row]);
            device.Updates.GuardNorm(block[0], null, block[2], block[3]);
            device.Updates.GuardLargest(block[0], block[2]);
            Assert.That(block.Read(2)[2], Is.EqualTo(largest));
            device.Updates.GuardScale(block[0], block[1], block[2]);
            Near.Check("gradients", block.Read(0), Array.ConvertAll(gradients, g => g / 4.0), 1e-6);
        }
    }

    [Test]
    public void A_guarded_copy_copies_only_where_it_may([Values] bool may)
    {
        using var block = new Block(One, Draw(77), new float[77], [0, 0, 0, may ? 0 : float.NaN]);
        One.Updates.GuardCopy([(block[0], block[1])], block[2]);
        Assert.That(block.Read(1), Is.EqualTo(may ? block.Read(0) : new float[77]));
    }

    private static float[] Draw(int count)
    {
        var values = new float[count];
        Philox.FillNormal(values, 3, Philox.Stream(RandomUse.Data));
        return values;
    }

    /// <summary>Some tensors.</summary>
    private sealed class Block : IDisposable
    {
        private readonly IDevice _device;
        private readonly Tensor[] _tensors;

        public Block(IDevice device, params float[][] values)
        {
            _device = device;
            _tensors = Array.ConvertAll(
                values,
                array => new Tensor(device.Allocate(array.Length * sizeof(float)), DType.Float32, new Shape(array.Length)));
            for (int i = 0; i < values.Length; i++)
            {
                device.Upload(MemoryMarshal.AsBytes<float>(values[i]), _tensors[i]);
            }
        }

        public Tensor this[int index] => _tensors[index];

        public float[] Read(int index)
        {
            var values = new float[_tensors[index].Count];
            _device.Download(_tensors[index], MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }

        public void Dispose() => Array.ForEach(_tensors, tensor => _device.Free(tensor.Address));
    }
}
