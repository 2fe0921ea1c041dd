using BenchmarkDotNet.Attributes;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Benchmarks;

/// <summary>A matrix product [M, K] x [K, N].</summary>
public sealed record Product(string Title, int M, int N, int K) : Work($"{Title} {M}x{N}x{K}", Flops: 2.0 * M * N * K);

/// <summary>Matrix products as dense layers use them, by shape.</summary>
public class GemmBenchmarks : KernelBenchmark
{
    private Tensor _x = null!;
    private Tensor _weight = null!;
    private Tensor _bias = null!;
    private Tensor _y = null!;
    private Tensor _dX = null!;
    private Tensor _dWeight = null!;

    public static IEnumerable<Product> Cases =>
    [
        new("square", 512, 512, 512),
        new("square", 1024, 1024, 1024),
        new("square", 2048, 2048, 2048),
        new("mnist-mlp", 32, 64, 784),
        new("mnist-mlp", 32, 10, 64),
        new("mnist-cnn", 128, 64, 1600),
        new("mnist-cnn-small", 32, 128, 5408),
        new("lenet-rgb", 4, 120, 400),
        new("one row", 1, 64, 784),
    ];

    [ParamsSource(nameof(Cases))]
    public Product Case { get; set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        (_x, _weight, _bias) = (Make(Case.M, Case.K), Make(Case.K, Case.N), Make(Case.N));
        (_y, _dX, _dWeight) = (Make(Case.M, Case.N), Make(Case.M, Case.K), Make(Case.K, Case.N));
    }

    [Benchmark]
    public void Forward() => Kernels.Products.DenseForward(_x, _weight, _bias, _y, Activation.ReLU);

    [Benchmark]
    public void BackwardData() =>
        Kernels.Products.DenseBackward(_x, _weight, _y, new DenseGradients(_dX, false, null, false, null, false));

    [Benchmark]
    public void BackwardWeight() =>
        Kernels.Products.DenseBackward(_x, _weight, _y, new DenseGradients(null, false, _dWeight, false, _bias, false));
}
