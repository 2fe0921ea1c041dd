namespace FastNN.Testing;

/// <summary>Rotary positions as complex numbers: pair i of position p times exp(sqrt(-1) p theta^(-2i / D)).</summary>
internal static class RotaryReference
{
    /// <param name="axes">[outer, time, inner, width].</param>
    /// <param name="position">Of an outer and a time index.</param>
    /// <param name="turn">1, or -1 for the gradient.</param>
    public static double[] Rotate(
        double[] x, (int Outer, int Time, int Inner, int Width) axes, Func<int, int, int> position, double theta,
        bool interleaved, int rotated, int turn)
    {
        double[] y = [.. x];
        int half = axes.Width / 2;
        for (int i = 0; i < x.Length / 2; i++)
        {
            int pair = i % half, row = i / half, inner = row % axes.Inner, time = row / axes.Inner % axes.Time;
            int outer = row / axes.Inner / axes.Time;
            if (inner >= rotated)
            {
                continue;
            }

            int first = (row * axes.Width) + (interleaved ? 2 * pair : pair), second = first + (interleaved ? 1 : half);
            var turned = new System.Numerics.Complex(x[first], x[second]) * System.Numerics.Complex.FromPolarCoordinates(
                1, turn * position(outer, time) * Math.Pow(theta, -2.0 * pair / axes.Width));
            (y[first], y[second]) = (turned.Real, turned.Imaginary);
        }

        return y;
    }
}
