using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Tensors;
using FastNN.Training;

namespace FastNN.Tests.Optimizers;

/// <summary>Muon against its definition in double, for matrices, filters and what is neither.</summary>
internal sealed class MuonTests : DeviceFixture
{
    private const float Rate = 0.05f;
    private const float AdamRate = 0.01f;
    private const float Decay = 0.1f;

    [Test]
    public void Steps_follow_the_double_reference(
        [Values("1 1", "3 7", "17 5", "13", "", "3 3 5 7", "33 31")] string extents, [Values] bool nesterov,
        [Values] MuonScale scale)
    {
        int[] sizes = [.. extents.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        var parameter = new Parameter("p", new Shape(sizes), Initializer.Zeros);
        int count = (int)parameter.Count;
        double[] p = Draw(count, 1), mean = new double[count], variance = new double[count];
        parameter.Write(Array.ConvertAll(p, value => (float)value));
        using var store = new ParameterStore(Two, [parameter]);
        var muon = new Muon(Rate, 0.9f, nesterov, Decay, scale, AdamRate);
        using var state = new StepState(store, [(muon, [parameter])]);
        store.Take([parameter]);
        var values = new float[count];
        for (int step = 1; step <= 3; step++)
        {
            double[] g = Draw(count, 1 + (uint)step);
            Two.Upload(
                MemoryMarshal.AsBytes<float>(Array.ConvertAll(g, value => (float)value)), state.Gradients.Gradient(parameter));
            state.Upload(step, step - 1);
            state.Update(null);
            if (sizes.Length < 2)
            {
                OptimizerReference.Adam(AdamRate, 0.9, 0.999, 1e-8, Decay, true, step, p, g, mean, variance, []);
            }
            else
            {
                Follow(p, g, mean, sizes[^1], nesterov, scale);
            }

            parameter.Read(values);
            Near.Check($"step {step}", values, p, 1e-5);
        }
    }

    [Test]
    public void A_matrix_becomes_nearly_orthogonal()
    {
        double[] x = Orthogonalized(Draw(5 * 9, 3), 5, 9);
        for (int i = 0; i < 5; i++)
        {
            for (int j = 0; j < 5; j++)
            {
                double product = Enumerable.Range(0, 9).Sum(k => x[(i * 9) + k] * x[(j * 9) + k]);
                Assert.That(product, Is.EqualTo(i == j ? 1 : 0).Within(0.5), $"{i} {j}");
            }
        }
    }

    private static void Follow(double[] p, double[] g, double[] mean, int outputs, bool nesterov, MuonScale scale)
    {
        int inputs = p.Length / outputs;
        for (int i = 0; i < p.Length; i++)
        {
            mean[i] = (0.9 * mean[i]) + ((1 - 0.9) * g[i]);
        }

        double[] step = Orthogonalized([.. g.Zip(mean, (now, all) => nesterov ? (0.1 * now) + (0.9 * all) : all)], inputs,
            outputs);
        double factor = scale == MuonScale.Original
            ? Math.Sqrt(Math.Max(1, outputs / (double)inputs))
            : 0.2 * Math.Sqrt(Math.Max(outputs, inputs));
        for (int i = 0; i < p.Length; i++)
        {
            p[i] = (p[i] * (1 - (Rate * Decay))) - (Rate * factor * step[i]);
        }
    }

    private static double[] Orthogonalized(double[] x, int rows, int columns)
    {
        double norm = Math.Max(1e-7, Math.Sqrt(x.Sum(value => value * value)));
        x = Array.ConvertAll(x, value => value / norm);
        for (int step = 0; step < 5; step++)
        {
            double[] a = Product(x, Transposed(x, rows, columns), rows, columns, rows), squared = Product(a, a, rows, rows, rows);
            double[] polynomial = [.. a.Zip(squared, (once, twice) => (-4.7750 * once) + (2.0315 * twice))];
            x = [.. x.Zip(Product(polynomial, x, rows, rows, columns), (value, other) => (3.4445 * value) + other)];
        }

        return x;
    }

    private static double[] Transposed(double[] x, int rows, int columns) =>
        [.. Enumerable.Range(0, x.Length).Select(i => x[(i % rows * columns) + (i / rows)])];

    private static double[] Product(double[] a, double[] b, int m, int k, int n)
    {
        var y = new double[m * n];
        for (int i = 0; i < m * n; i++)
        {
            for (int j = 0; j < k; j++)
            {
                y[i] += a[(i / n * k) + j] * b[(j * n) + (i % n)];
            }
        }

        return y;
    }

    private static double[] Draw(int count, uint stream)
    {
        var values = new float[count];
        Philox.FillNormal(values, 7, Philox.Stream(RandomUse.Data, stream));
        return Array.ConvertAll(values, value => (double)value);
    }
}
