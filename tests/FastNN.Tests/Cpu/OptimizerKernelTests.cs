using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

/// <summary>The updates at odd sizes; <see cref="OptimizerFixture"/> has them inside steps on every device.</summary>
public sealed class OptimizerKernelTests
{
    private const float Rate = 0.01f;

    // Those with a kernel of their own, not the recorded ones.
    private static IEnumerable<OptimizerCase> Cases => OptimizerCase.All.Where(@case => @case.Create() is not CustomOptimizer);

    [TestCaseSource(nameof(Cases))]
    public void Updates_follow_the_double_reference(object @case)
    {
        var tested = (OptimizerCase)@case;
        using var scope = new DeviceScope();
        foreach (int size in DeviceScope.Sizes)
        {
            Optimizer optimizer = tested.Create();
            double[] p = DeviceScope.Random(size, 1);
            double[][] states = [
                .. optimizer.Update.Info.States.Select(_ => Array.ConvertAll(new double[size], _ => (double)tested.Initial))];
            Tensor parameters = scope.Floats(p);
            Tensor[] tensors = Array.ConvertAll(states, state => scope.Floats(state));
            for (int step = 1; step <= 4; step++)
            {
                // Shrinking gradients, so that a maximum is not the latest.
                double[] g = [.. DeviceScope.Random(size, 10 + step).Select(x => (double)(float)(x / step))];
                tested.Reference(Rate, step, p, g, states);
                var scalars = new float[UpdateScalars.Row];
                optimizer.WriteScalars(scalars, step, Rate, optimizer.WeightDecay);
                scope.Device.Updates.Update(
                    optimizer.Update, scope.Floats(Array.ConvertAll(scalars, x => (double)x)), parameters, scope.Floats(g),
                    tensors);
            }

            DeviceScope.AssertNear(parameters, p, 8, 4e-7);
            for (int i = 0; i < states.Length; i++)
            {
                DeviceScope.AssertNear(
                    tensors[i], states[i], 16,
                    optimizer.Update.Info.States[i].IsNeverNegative ? tested.SquaresTolerance : tested.StateTolerance);
            }
        }
    }
}
