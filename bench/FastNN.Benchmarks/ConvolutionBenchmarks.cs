using BenchmarkDotNet.Attributes;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Benchmarks;

/// <summary>A convolution without padding on [N, H, H, C] with OC filters of KxK.</summary>
public sealed record Convolution(int N, int H, int C, int OC, int K, bool Same = false)
    : Work($"{C}-{OC} {K}x{K} {H}x{H} b{N}", Flops: 2.0 * N * Output(H, K, Same) * Output(H, K, Same) * OC * K * K * C)
{
    private static double Output(int extent, int taps, bool same) => same ? extent : extent - taps + 1;
}

/// <summary>Convolutions, forward and backward, by shape: those of the recipes' networks and some of ResNet's.</summary>
public class ConvolutionBenchmarks : KernelBenchmark
{
    private Conv2DGeometry _geometry;
    private Tensor _x = null!;
    private Tensor _weight = null!;
    private Tensor _bias = null!;
    private Tensor _y = null!;
    private Tensor _dX = null!;
    private Tensor _dWeight = null!;
    private Tensor? _forward;
    private Tensor? _data;
    private Tensor? _filter;

    public static IEnumerable<Convolution> Cases =>
    [
        new(32, 28, 1, 32, 3),
        new(32, 13, 32, 64, 3),
        new(4, 32, 3, 6, 5),
        new(4, 14, 6, 16, 5),
        new(8, 56, 64, 64, 3, Same: true),
        new(8, 14, 256, 256, 3, Same: true),
        new(8, 56, 256, 64, 1),
    ];

    [ParamsSource(nameof(Cases))]
    public Convolution Case { get; set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        Padding2D padding = Case.Same ? Padding2D.Same : Padding2D.Valid;
        int[] input = [Case.N, Case.H, Case.H, Case.C];
        int[] filter = [Case.K, Case.K, Case.C, Case.OC];
        _geometry = Conv2DGeometry.Create(Case.N, Case.H, Case.H, Case.C, Case.OC, Case.K, Case.K, padding);
        (_x, _dX) = (Make(input), Make(input));
        (_weight, _dWeight, _bias) = (Make(filter), Make(filter), Make(Case.OC));
        _y = Make(_geometry.N, _geometry.OH, _geometry.OW, _geometry.OC);
        _forward = Scratch(Kernels.Conv2DWorkspaceBytes(_geometry, ConvolutionPass.Forward));
        _data = Scratch(Kernels.Conv2DWorkspaceBytes(_geometry, ConvolutionPass.BackwardData));
        _filter = Scratch(Kernels.Conv2DWorkspaceBytes(_geometry, ConvolutionPass.BackwardFilter));
    }

    [Benchmark]
    public void Forward() => Kernels.Windows.Conv2DForward(_geometry, _x, _weight, _bias, _y, Activation.ReLU, _forward);

    [Benchmark]
    public void BackwardData() => Kernels.Windows.Conv2DBackwardData(_geometry, _y, _weight, _dX, accumulate: false, _data);

    [Benchmark]
    public void BackwardFilter() =>
        Kernels.Windows.Conv2DBackwardFilter(
            _geometry, _x, _y, _dWeight, _bias, accumulateWeight: false, accumulateBias: false, _filter);
}
