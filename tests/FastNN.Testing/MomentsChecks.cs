using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>The sums of metrics on any device, beside plain arithmetic in double.</summary>
internal static class MomentsChecks
{
    /// <summary>Few and many rows and columns, beside those at which a device cuts them.</summary>
    public static IEnumerable<(int Rows, int Columns)> Shapes =>
    [
        (1, 1), (7, 3), (33, 1), (129, 17), (5, 257), (10_007, 1), (9001, 3), (20_000, 2), (513, 300), (70_001, 7), (3, 1031),
        (0, 3),
    ];

    /// <summary>Adds twice, and once more under a guard that forbids it.</summary>
    public static void Check(IDevice device, int rows, int columns)
    {
        var random = new Random(rows + columns);
        float[] x = [.. Enumerable.Range(0, rows * columns).Select(_ => (float)(1000 + random.NextDouble()))];
        double[] expected = new double[1 + (2 * columns)];
        for (int i = 0; i < x.Length; i++)
        {
            expected[1 + (2 * (i % columns))] += 2.0 * x[i];
            expected[2 + (2 * (i % columns))] += 2.0 * x[i] * x[i];
        }

        expected[0] = 2.0 * rows;
        var values = new Tensor(device.Allocate(Math.Max(4, 4 * x.Length)), DType.Float32, new Shape(rows, columns));
        var sums = new Tensor(device.Allocate(8 * expected.Length), DType.Float64, new Shape(expected.Length));
        var guard = new Tensor(device.Allocate(16), DType.Float32, new Shape(4));
        device.Upload(MemoryMarshal.AsBytes<float>(x), values);
        device.Upload(MemoryMarshal.AsBytes<double>(new double[expected.Length]), sums);
        device.Upload(MemoryMarshal.AsBytes<float>([0, 0, 0, float.NaN]), guard);
        device.Updates.AddMoments(values, columns, sums, null);
        device.Updates.AddMoments(values, columns, sums, null);
        device.Updates.AddMoments(values, columns, sums, guard);
        var actual = new double[expected.Length];
        device.Download(sums, MemoryMarshal.AsBytes(actual.AsSpan()));
        device.Free(values.Address);
        device.Free(sums.Address);
        device.Free(guard.Address);
        Assert.That(actual[0], Is.EqualTo(expected[0]));
        for (int i = 1; i < actual.Length; i++)
        {
            Assert.That(actual[i], Is.EqualTo(expected[i]).Within(1e-12 * expected[i]), $"sum {i}");
        }
    }
}
