using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Training;

/// <summary>
/// The sums of a recording's metrics in device memory, in double. A step adds to them, launched or captured; they are read once
/// for many steps.
/// </summary>
internal sealed class MetricStore : IDisposable
{
    private readonly IDevice _device;
    private readonly DeviceBlock _block;
    private readonly Tensor _all;

    /// <param name="device">Where the sums lie.</param>
    /// <param name="columns">How many columns each metric has.</param>
    public MetricStore(IDevice device, IReadOnlyList<int> columns)
    {
        _device = device;
        int count = columns.Sum(LengthOf);
        _block = new DeviceBlock(device, (long)count * sizeof(double));
        _all = new Tensor(_block.Address, DType.Float64, new Shape(count));
        Sums = new Tensor[columns.Count];
        int at = 0;
        for (int i = 0; i < Sums.Length; i++)
        {
            Sums[i] = new Tensor(_block.Address + (at * sizeof(double)), DType.Float64, new Shape(LengthOf(columns[i])));
            at += LengthOf(columns[i]);
        }
    }

    /// <summary>For each metric: rows, then sum and sum of squares of each column.</summary>
    public Tensor[] Sums { get; }

    /// <summary>Begins anew.</summary>
    public void Reset() => _device.Upload(MemoryMarshal.AsBytes<double>(new double[_all.Count]), _all);

    public double[] Read(int index)
    {
        var sums = new double[Sums[index].Count];
        _device.Download(Sums[index], MemoryMarshal.AsBytes(sums.AsSpan()));
        return sums;
    }

    /// <summary>Goes on from sums that were read before.</summary>
    public void Write(int index, ReadOnlySpan<double> sums) => _device.Upload(MemoryMarshal.AsBytes(sums), Sums[index]);

    public void Dispose() => _block.Dispose();

    private static int LengthOf(int columns) => 1 + (2 * columns);
}
