using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN.Testing;

/// <summary>Optimizers over several parameters and steps against the double references: values and state.</summary>
internal abstract class OptimizerFixture : DeviceFixture
{
    private const int Steps = 8;
    private static readonly Shape[] Shapes = [new(1), new(3, 7), new(13), new(129, 31), new(), new(70001)];

    protected static IEnumerable<OptimizerCase> Cases => OptimizerCase.All;

    protected abstract IReadOnlyList<IDevice> Devices { get; }

    [TestCaseSource(nameof(Cases))]
    [Category("Rungs")]
    public void Steps_follow_the_double_reference(OptimizerCase @case)
    {
        foreach (IDevice device in Devices)
        {
            using var run = new Run(device, @case.Create());
            double[][] p = Array.ConvertAll(run.Parameters, parameter => Array.ConvertAll(Read(parameter), value => (double)value));
            double[][][] state = [.. p.Select(values => Enumerable.Range(0, 3).Select(_ => Initial(values.Length)).ToArray())];
            for (int step = 1; step <= Steps; step++)
            {
                run.Optimizer.LearningRate = OptimizerCase.Rate / step;
                run.Step(step);
                for (int i = 0; i < p.Length; i++)
                {
                    double[] gradient = Array.ConvertAll(Run.Gradient(i, step), value => (double)value);
                    @case.Reference(run.Optimizer.LearningRate, step, p[i], gradient, state[i]);
                    Near.Check($"parameter {i} after {step}", Read(run.Parameters[i]), p[i], 2e-6);
                    foreach ((StateInfo info, int index) in run.State.Optimizers[0].States)
                    {
                        Near.Check($"{info.Name} of parameter {i} after {step}", run.Read(index, i), state[i][index], 2e-6);
                    }
                }
            }
        }

        double[] Initial(int count)
        {
            var values = new double[count];
            Array.Fill(values, @case.Initial);
            return values;
        }
    }

    [Test]
    public void A_loss_that_is_not_finite_changes_nothing(
        [Values(float.NaN, float.PositiveInfinity, float.NegativeInfinity)] float loss, [Values] bool adam)
    {
        IDevice device = Devices[^1];
        using var run = new Run(device, adam ? new Adam(OptimizerCase.Rate) : new Sgd(OptimizerCase.Rate, momentum: 0.9f));
        run.Step(1);
        float[][] Snapshot() =>
            [.. run.Parameters.Select(Read), .. run.State.Optimizers[0].States.SelectMany(state => run.Parameters.Select((_, i) => run.Read(state.Index, i)))];
        float[][] before = Snapshot();
        nint block = device.Allocate(sizeof(float));
        var tensor = new Tensor(block, DType.Float32, default);
        device.Memory.Fill(tensor, loss);
        run.State.Upload(2, 1);
        run.State.Update(tensor);
        Near.SameBits(before, Snapshot());
        device.Memory.Fill(tensor, 1);
        run.State.Update(tensor);
        Assert.That(Snapshot()[0], Is.Not.EqualTo(before[0]), "a finite loss does");
        device.Free(block);
    }

    protected static float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }

    /// <summary>Parameters, gradients and state on a device.</summary>
    protected sealed class Run : IDisposable
    {
        private readonly IDevice _device;
        private readonly ParameterStore _store;

        public Run(IDevice device, Optimizer optimizer, int frozen = -1)
        {
            (_device, Optimizer) = (device, optimizer);
            Parameters = [.. Shapes.Select((shape, i) => new Parameter($"p{i}", shape, Initializer.Zeros) { IsTrainable = i != frozen })];
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
}
