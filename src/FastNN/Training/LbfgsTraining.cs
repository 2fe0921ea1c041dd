namespace FastNN;

/// <summary>L-BFGS for training steps.</summary>
public static class LbfgsTraining
{
    /// <summary>
    /// Minimizes the loss of a training step by some of its parameters, which are left at the best that was found. The step's
    /// optimizers take no part. Parameters are Float32, so loss and gradient have seven digits.
    /// </summary>
    /// <param name="lbfgs">The options.</param>
    /// <param name="step">The step; it should be the same function each time: no dropout, one batch.</param>
    /// <param name="parameters">What may change; all of them trained by the step.</param>
    /// <param name="write">Writes the inputs, always the same ones, with <see cref="TrainingStep.Begin"/> before if shapes were
    /// not chosen yet.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="NonFiniteLossException">The first loss or gradient is not finite.</exception>
    /// <exception cref="InvalidOperationException">The step does not train a parameter, or an input was not written.</exception>
    public static LbfgsResult Minimize(
        this Lbfgs lbfgs, TrainingStep step, IReadOnlyList<Parameter> parameters, Action<TrainingStep> write)
    {
        ArgumentNullException.ThrowIfNull(lbfgs);
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(write);
        var values = new double[checked((int)parameters.Sum(parameter => parameter.Count))];
        float[] part = new float[parameters.Select(parameter => parameter.Count).DefaultIfEmpty().Max()];
        ForEach((parameter, at) =>
        {
            Span<float> numbers = part.AsSpan(0, (int)parameter.Count);
            parameter.Read(numbers);
            Widen(numbers, values.AsSpan(at));
        });
        LbfgsResult result = lbfgs.Minimize(values, (x, gradient) =>
        {
            Take(x.ToArray());
            write(step);
            double loss = step.Forward();
            step.Backward();
            double[] read = new double[gradient.Length];
            ForEach((parameter, at) =>
            {
                Span<float> numbers = part.AsSpan(0, (int)parameter.Count);
                step.ReadGradient(parameter, numbers);
                Widen(numbers, read.AsSpan(at));
            });
            read.CopyTo(gradient);
            return loss;
        });
        Take(values);
        return result;

        void Take(double[] x) => ForEach((parameter, at) =>
        {
            Span<float> numbers = part.AsSpan(0, (int)parameter.Count);
            for (int i = 0; i < numbers.Length; i++)
            {
                numbers[i] = (float)x[at + i];
            }

            parameter.Write(numbers);
        });

        void ForEach(Action<Parameter, int> act)
        {
            int at = 0;
            foreach (Parameter parameter in parameters)
            {
                act(parameter, at);
                at += (int)parameter.Count;
            }
        }

        static void Widen(ReadOnlySpan<float> from, Span<double> to)
        {
            for (int i = 0; i < from.Length; i++)
            {
                to[i] = from[i];
            }
        }
    }
}
