using BenchmarkDotNet.Attributes;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Benchmarks;

/// <summary>An activation over some numbers; one array is read and one written.</summary>
public sealed record Elements(Activation Function, int Count) : Work($"{Function} {Count}", Bytes: 2.0 * sizeof(float) * Count);

/// <summary>Element-wise kernels, in the second-level cache and in memory.</summary>
public class ElementwiseBenchmarks : KernelBenchmark
{
    private Tensor _x = null!;
    private Tensor _y = null!;
    private Tensor _dX = null!;

    public static IEnumerable<Elements> Cases =>
        from activation in (Activation[])[Activation.ReLU, Activation.Sigmoid, Activation.Tanh, Activation.Gelu]
        from count in (int[])[1 << 16, 1 << 24]
        select new Elements(activation, count);

    [ParamsSource(nameof(Cases))]
    public Elements Case { get; set; } = null!;

    [GlobalSetup]
    public void Setup() => (_x, _y, _dX) = (Make(Case.Count), Make(Case.Count), Make(Case.Count));

    [Benchmark]
    public void Forward() => Kernels.Elements.ActivationForward(Case.Function, _x, _y);

    /// <summary>Two arrays are read and one written.</summary>
    [Benchmark]
    [Passes(1.5)]
    public void Backward() => Kernels.Elements.ActivationBackward(Case.Function, _x, _y, _dX, accumulate: false);

    /// <summary>Two arrays are read and one written.</summary>
    [Benchmark]
    [Passes(1.5)]
    public void Add() => Kernels.Elements.BinaryForward(BinaryFunction.Of<Functions.Add>(), _x, _y, _dX);
}
