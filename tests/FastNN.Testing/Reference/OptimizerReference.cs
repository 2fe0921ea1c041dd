namespace FastNN.Testing;

/// <summary>SGD and Adam as PyTorch's documentation writes them, in double, one step at a time.</summary>
internal static class OptimizerReference
{
    public static void Sgd(
        double rate, double momentum, double dampening, double weightDecay, bool nesterov, bool first,
        Span<double> p, ReadOnlySpan<double> gradients, Span<double> velocity)
    {
        for (int i = 0; i < p.Length; i++)
        {
            double g = gradients[i] + (weightDecay * p[i]);
            if (momentum != 0)
            {
                velocity[i] = first ? g : (momentum * velocity[i]) + ((1 - dampening) * g);
                g = nesterov ? g + (momentum * velocity[i]) : velocity[i];
            }

            p[i] -= rate * g;
        }
    }

    /// <param name="maximum">Empty without AMSGrad.</param>
    public static void Adam(
        double rate, double beta1, double beta2, double epsilon, double weightDecay, bool decoupled, long step,
        Span<double> p, ReadOnlySpan<double> gradients, Span<double> mean, Span<double> variance, Span<double> maximum)
    {
        double correction1 = 1 - Math.Pow(beta1, step), correction2 = 1 - Math.Pow(beta2, step);
        for (int i = 0; i < p.Length; i++)
        {
            double g = gradients[i];
            if (decoupled)
            {
                p[i] *= 1 - (rate * weightDecay);
            }
            else
            {
                g += weightDecay * p[i];
            }

            mean[i] = (beta1 * mean[i]) + ((1 - beta1) * g);
            variance[i] = (beta2 * variance[i]) + ((1 - beta2) * g * g);
            double v = variance[i];
            if (!maximum.IsEmpty)
            {
                v = maximum[i] = Math.Max(maximum[i], v);
            }

            p[i] -= rate / correction1 * mean[i] / (Math.Sqrt(v / correction2) + epsilon);
        }
    }
}
