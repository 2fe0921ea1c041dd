using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN.Testing;

/// <summary>Parameters, gradients and state on a device.</summary>
internal sealed class OptimizerRun : IDisposable
{
    private static readonly Shape[] Shapes = [new(1), new(3, 7), new(13), new(129, 31), new(), new(70001)];

    private readonly IDevice _device;
    private readonly ParameterStore _store;

    public OptimizerRun(IDevice device, Optimizer optimizer, int frozen = -1)
    {
        (_device, Optimizer) = (device, optimizer);
        Parameters = [
            .. Shapes.Select((shape, i) => new Parameter($"p{i}", shape, Initializer.Zeros) { IsTrainable = i != frozen })];
        _store = new ParameterStore(device, Parameters);
        State = new StepState(_store, [(optimizer, Parameters)]);
        for (int i = 0; i < Parameters.Length; i++)
        {
            Parameters[i].Write(First(i));
        }

        _store.Take(Parameters);
    }

    public Optimizer Optimizer { get; }

    public Parameter[] Parameters { get; }

    public StepState State { get; }

    /// <summary>Of all parameters.</summary>
    public float[][] Values => [.. Parameters.Select((_, i) => Read(i))];

    public static float[] First(int parameter) => Draw(parameter, stream: 0);

    public static float[] Gradient(int parameter, int step) => Draw(parameter, (uint)step);

    public void Step(int step)
    {
        for (int i = 0; i < Parameters.Length; i++)
        {
            if (Parameters[i].IsTrainable)
            {
                _device.Upload(MemoryMarshal.AsBytes(Gradient(i, step).AsSpan()), State.Gradients.Gradient(Parameters[i]));
            }
        }

        State.Upload(step, step - 1);
        State.Update(null);
    }

    /// <summary>A parameter's values.</summary>
    public float[] Read(int parameter)
    {
        var values = new float[Parameters[parameter].Count];
        Parameters[parameter].Read(values);
        return values;
    }

    /// <summary>A state of a parameter.</summary>
    public float[] Read(int index, int parameter)
    {
        var values = new float[Parameters[parameter].Count];
        _device.Download(State.Optimizers[0].View(index, Parameters[parameter]), MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public void Dispose()
    {
        State.Dispose();
        _store.Dispose();
    }

    private static float[] Draw(int parameter, uint stream)
    {
        var values = new float[Shapes[parameter].Count];
        Philox.FillNormal(values, (ulong)parameter, Philox.Stream(RandomUse.Data, stream));
        return values;
    }
}
