using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Benchmarks;

/// <summary>
/// Parameters to update. The bytes are those of SGD with momentum: parameter, gradient and velocity read, two of them written.
/// </summary>
public sealed record ParameterCount(string Title, int Count) : Work($"{Title} {Count}", Bytes: 5.0 * sizeof(float) * Count);

/// <summary>One update of all parameters of a network.</summary>
public class OptimizerBenchmarks : KernelBenchmark
{
    private Tensor _parameters = null!;
    private Tensor _gradients = null!;
    private Tensor _mean = null!;
    private Tensor[] _states = null!;
    private Tensor _scalars = null!;

    public static IEnumerable<ParameterCount> Cases =>
        [new("mnist-mlp", 50_890), new("mnist-cnn", 121_930), new("resnet18", 11_689_512)];

    [ParamsSource(nameof(Cases))]
    public ParameterCount Case { get; set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        (_parameters, _gradients, _scalars) = (Make(Case.Count), Make(Case.Count), Make(UpdateScalars.Row));
        (_mean, _states) = (Make(Case.Count), [Make(Case.Count), Make(Case.Count)]);
        Kernels.Memory.Fill(_states[1], 0.01f);
        // A rate this small keeps millions of updates from running away.
        Kernels.Upload(MemoryMarshal.AsBytes<float>([0, -1e-12f, 0.9f, 0.999f, 1e-3f, 1, 1e-8f, 0]), _scalars);
    }

    [Benchmark]
    public void SgdMomentum() =>
        Kernels.Updates.Update(UpdateFunction.Of<MomentumSgd<No>>(), _scalars, _parameters, _gradients, [_mean]);

    /// <summary>Four arrays are read and three written.</summary>
    [Benchmark]
    [Passes(7.0 / 5)]
    public void Adam() =>
        Kernels.Updates.Update(UpdateFunction.Of<AdamUpdate<No, No>>(), _scalars, _parameters, _gradients, _states);
}
