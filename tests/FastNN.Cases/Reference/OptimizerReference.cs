namespace FastNN.Testing;

/// <summary>Optimizers as PyTorch's documentation writes them, in double, one step at a time.</summary>
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

    public static void NAdam(
        double rate, double beta1, double beta2, double epsilon, double weightDecay, double momentumDecay, bool decoupled,
            long step,
        Span<double> p, ReadOnlySpan<double> gradients, Span<double> mean, Span<double> variance)
    {
        double Mu(long t) => beta1 * (1 - (0.5 * Math.Pow(0.96, t * momentumDecay)));
        double product = 1;
        for (long t = 1; t <= step; t++)
        {
            product *= Mu(t);
        }

        for (int i = 0; i < p.Length; i++)
        {
            double g = gradients[i] + (decoupled ? 0 : weightDecay * p[i]);
            p[i] *= decoupled ? 1 - (rate * weightDecay) : 1;
            mean[i] = (beta1 * mean[i]) + ((1 - beta1) * g);
            variance[i] = (beta2 * variance[i]) + ((1 - beta2) * g * g);
            double m = (Mu(step + 1) * mean[i] / (1 - (product * Mu(step + 1)))) + ((1 - Mu(step)) * g / (1 - product));
            p[i] -= rate * m / (Math.Sqrt(variance[i] / (1 - Math.Pow(beta2, step))) + epsilon);
        }
    }

    public static void Adamax(
        double rate, double beta1, double beta2, double epsilon, double weightDecay, long step,
        Span<double> p, ReadOnlySpan<double> gradients, Span<double> mean, Span<double> norm)
    {
        for (int i = 0; i < p.Length; i++)
        {
            double g = gradients[i] + (weightDecay * p[i]);
            mean[i] = (beta1 * mean[i]) + ((1 - beta1) * g);
            norm[i] = Math.Max(beta2 * norm[i], Math.Abs(g) + epsilon);
            p[i] -= rate * mean[i] / ((1 - Math.Pow(beta1, step)) * norm[i]);
        }
    }

    /// <param name="mean">Empty unless centered.</param>
    /// <param name="velocity">Empty without momentum.</param>
    public static void RmsProp(
        double rate, double alpha, double epsilon, double weightDecay, double momentum,
        Span<double> p, ReadOnlySpan<double> gradients, Span<double> variance, Span<double> mean, Span<double> velocity)
    {
        for (int i = 0; i < p.Length; i++)
        {
            double g = gradients[i] + (weightDecay * p[i]);
            variance[i] = (alpha * variance[i]) + ((1 - alpha) * g * g);
            double spread = variance[i];
            if (!mean.IsEmpty)
            {
                mean[i] = (alpha * mean[i]) + ((1 - alpha) * g);
                spread -= mean[i] * mean[i];
            }

            double direction = g / (Math.Sqrt(spread) + epsilon);
            if (!velocity.IsEmpty)
            {
                direction = velocity[i] = (momentum * velocity[i]) + direction;
            }

            p[i] -= rate * direction;
        }
    }

    public static void Adagrad(
        double rate, double rateDecay, double weightDecay, double epsilon, long step, Span<double> p,
        ReadOnlySpan<double> gradients, Span<double> sum)
    {
        for (int i = 0; i < p.Length; i++)
        {
            double g = gradients[i] + (weightDecay * p[i]);
            sum[i] += g * g;
            p[i] -= rate / (1 + ((step - 1) * rateDecay)) * g / (Math.Sqrt(sum[i]) + epsilon);
        }
    }

    public static void Adadelta(
        double rate, double rho, double epsilon, double weightDecay,
        Span<double> p, ReadOnlySpan<double> gradients, Span<double> variance, Span<double> change)
    {
        for (int i = 0; i < p.Length; i++)
        {
            double g = gradients[i] + (weightDecay * p[i]);
            variance[i] = (rho * variance[i]) + ((1 - rho) * g * g);
            double direction = Math.Sqrt(change[i] + epsilon) / Math.Sqrt(variance[i] + epsilon) * g;
            change[i] = (rho * change[i]) + ((1 - rho) * direction * direction);
            p[i] -= rate * direction;
        }
    }

    public static void RAdam(
        double rate, double beta1, double beta2, double epsilon, double weightDecay, bool decoupled, long step,
        Span<double> p, ReadOnlySpan<double> gradients, Span<double> mean, Span<double> variance)
    {
        double correction1 = 1 - Math.Pow(beta1, step), correction2 = 1 - Math.Pow(beta2, step);
        double longest = (2 / (1 - beta2)) - 1, length = longest - (2 * step * Math.Pow(beta2, step) / correction2);
        for (int i = 0; i < p.Length; i++)
        {
            double g = gradients[i] + (decoupled ? 0 : weightDecay * p[i]);
            p[i] *= decoupled ? 1 - (rate * weightDecay) : 1;
            mean[i] = (beta1 * mean[i]) + ((1 - beta1) * g);
            variance[i] = (beta2 * variance[i]) + ((1 - beta2) * g * g);
            double factor = length > 5
                ? Math.Sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
                    * Math.Sqrt(correction2) / (Math.Sqrt(variance[i]) + epsilon)
                : 1;
            p[i] -= rate * mean[i] / correction1 * factor;
        }
    }

    public static void Lion(
        double rate, double beta1, double beta2, double weightDecay, Span<double> p, ReadOnlySpan<double> gradients,
        Span<double> mean)
    {
        for (int i = 0; i < p.Length; i++)
        {
            int sign = Math.Sign((beta1 * mean[i]) + ((1 - beta1) * gradients[i]));
            p[i] = (p[i] * (1 - (rate * weightDecay))) - (rate * sign);
            mean[i] = (beta2 * mean[i]) + ((1 - beta2) * gradients[i]);
        }
    }

    public static void Lamb(
        double rate, double beta1, double beta2, double epsilon, double weightDecay, long step, Span<double> p,
        ReadOnlySpan<double> gradients, Span<double> mean, Span<double> variance)
    {
        var direction = new double[p.Length];
        double size = 0, length = 0;
        for (int i = 0; i < p.Length; i++)
        {
            mean[i] = (beta1 * mean[i]) + ((1 - beta1) * gradients[i]);
            variance[i] = (beta2 * variance[i]) + ((1 - beta2) * gradients[i] * gradients[i]);
            direction[i] = (mean[i] / (1 - Math.Pow(beta1, step))
                / (Math.Sqrt(variance[i] / (1 - Math.Pow(beta2, step))) + epsilon)) + (weightDecay * p[i]);
            (size, length) = (size + (p[i] * p[i]), length + (direction[i] * direction[i]));
        }

        double ratio = size > 0 && length > 0 ? Math.Sqrt(size / length) : 1;
        for (int i = 0; i < p.Length; i++)
        {
            p[i] -= rate * ratio * direction[i];
        }
    }
}
