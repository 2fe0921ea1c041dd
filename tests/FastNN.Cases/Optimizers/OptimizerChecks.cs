using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>
/// Compares an optimizer's steps on a device, over several parameters, with its reference in double: values and state.
/// </summary>
internal static class OptimizerChecks
{
    private const int Steps = 8;
    private const double Tolerance = 2e-6;

    public static Closeness Run(OptimizerCase @case, IDevice device)
    {
        var found = new Closeness();
        using var run = new OptimizerRun(device, @case.Create());
        double[][] p = [.. run.Parameters.Select((_, i) => Array.ConvertAll(run.Read(i), value => (double)value))];
        double[][][] state = [.. p.Select(values => Enumerable.Range(0, 3).Select(_ => Initial(values.Length)).ToArray())];
        for (int step = 1; step <= Steps; step++)
        {
            run.Optimizer.LearningRate = OptimizerCase.Rate / step;
            run.Step(step);
            for (int i = 0; i < p.Length; i++)
            {
                double[] gradient = Array.ConvertAll(OptimizerRun.Gradient(i, step), value => (double)value);
                @case.Reference(run.Optimizer.LearningRate, step, p[i], gradient, state[i]);
                found.Check($"parameter {i} after {step}", run.Read(i), p[i], Tolerance);
                foreach ((StateInfo info, int index) in run.State.Optimizers[0].States)
                {
                    found.Check($"{info.Name} of parameter {i} after {step}", run.Read(index, i), state[i][index], Tolerance);
                }
            }
        }

        return found;

        double[] Initial(int count)
        {
            var values = new double[count];
            Array.Fill(values, @case.Initial);
            return values;
        }
    }
}
