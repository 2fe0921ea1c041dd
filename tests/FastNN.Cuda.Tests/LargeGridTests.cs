using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda.Tests;

/// <summary>
/// A grid's second and third axis end at 65,535 blocks: what would need more is counted along the first, or refused while
/// planning.
/// </summary>
internal sealed class LargeGridTests : CudaFixture
{
    /// <summary>Columns of which a block takes 256, in one part more than the second axis has, and not a multiple of 4.</summary>
    private const int Wide = (65535 * 256) + 1;

    [Test]
    public void The_columns_of_a_very_wide_layer_are_summed()
    {
        using CudaDevice device = Open(kernels: KernelSource.Embedded);
        var row = new Tensor(device.Allocate((long)Wide * sizeof(float)), DType.Float32, new Shape(1, Wide));
        var sums = new Tensor(device.Allocate((long)Wide * sizeof(float)), DType.Float32, new Shape(Wide));
        device.Memory.Fill(row, 3);
        device.Products.DenseBackward(row, row, row, new DenseGradients(null, false, null, false, sums, false));
        Check(device, sums, 3);
        device.Free(row.Address);
        device.Free(sums.Address);
    }

    [Test]
    public void The_gradient_of_very_long_rows_reaches_their_table()
    {
        using CudaDevice device = Open(kernels: KernelSource.Embedded);
        var table = new Tensor(device.Allocate((long)Wide * sizeof(float)), DType.Float32, new Shape(1, Wide));
        var gradient = new Tensor(device.Allocate((long)Wide * sizeof(float)), DType.Float32, new Shape(1, Wide));
        Tensor indices = Ints(device, 0);
        device.Memory.Fill(gradient, 2);
        device.Indexing.EmbeddingBackward(indices, gradient, padding: -1, table, accumulate: false);
        Check(device, table, 2);
        device.Free(table.Address);
        device.Free(gradient.Address);
        device.Free(indices.Address);
    }

    [Test]
    public void Convolutions_of_too_many_groups_or_taps_are_named_while_planned()
    {
        using CudaDevice device = Open(new CudaOptions { UseCudnn = false });
        Conv2DGeometry groups = Geometry(4, 131_076, kernel: 3, groups: 65_538);
        Assert.Multiple(() =>
        {
            foreach (ConvolutionPass pass in Enum.GetValues<ConvolutionPass>())
            {
                Assert.That(
                    () => device.Conv2DWorkspaceBytes(groups, pass),
                    Throws.TypeOf<ShapeException>().With.Message.Contains("65538 groups of 2"), $"{pass}");
            }

            Conv2DGeometry taps = Geometry(256, 4, kernel: 256, groups: 4);
            Assert.That(() => device.Conv2DWorkspaceBytes(taps, ConvolutionPass.Forward), Is.Zero);
            Assert.That(
                () => device.Conv2DWorkspaceBytes(taps, ConvolutionPass.BackwardFilter),
                Throws.TypeOf<ShapeException>().With.Message.Contains("65536"));
        });
    }

    [Test]
    public void A_tall_cell_of_a_pooling_is_shared_by_as_many_blocks_as_there_are()
    {
        const int Height = 70_000 * 32;
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([1, Height, 1, 1]), y = x.GlobalAvgPool2D();
        using CudaDevice device = Open(kernels: KernelSource.Embedded);
        using var run = new GraphRun(device, graph, [y], y, [x]);
        run.Set(x, new float[Height]);
        run.Run();
        Assert.That(run.Gradient(x), Is.All.EqualTo(1f / Height));
    }

    private static Conv2DGeometry Geometry(int size, int channels, int kernel, int groups) =>
        Conv2DGeometry.Create(1, size, size, channels, channels, kernel, kernel, Padding2D.Valid, groups: groups);

    private static void Check(CudaDevice device, Tensor tensor, float expected)
    {
        var values = new float[tensor.Count];
        device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        Assert.That(Array.FindIndex(values, value => value != expected), Is.EqualTo(-1), "the first that is wrong");
    }
}
