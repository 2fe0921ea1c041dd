using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

/// <summary>
/// CudaOptions.AllowTF32: products of cuBLAS and cuDNN then lose bits of their factors, within the bound that the option
/// documents, and the same in every run. A device without it computes as before.
/// </summary>
internal sealed class TF32Tests : CudaFixture
{
    /// <summary>The documented bound, as a part of the sum of the products' magnitudes.</summary>
    private const double Bound = 2e-3;

    private static readonly CudaOptions Allowed = new() { AllowTF32 = true };

    [Test]
    public void Products_lose_what_the_option_allows_and_no_more()
    {
        TestGpu.RequireVersion(3);
        const int m = 65, n = 33, k = 257;
        float[] a = Numbers(1, m * k), b = Numbers(2, k * n);
        float[] Multiply(CudaOptions options)
        {
            using CudaDevice device = Open(options);
            using var memory = new DeviceNumbers(device);
            nint c = memory.Put(new float[m * n]);
            device.Blas.Gemm(false, false, m, n, k, memory.Put(a), k, memory.Put(b), n, 0, c, n);
            return memory.Get(c, m * n);
        }

        float[] exact = Multiply(new CudaOptions()), rounded = Multiply(Allowed);
        double[] expected = new double[m * n], magnitudes = new double[m * n];
        for (int i = 0; i < m * n; i++)
        {
            for (int p = 0; p < k; p++)
            {
                double product = (double)a[(i / n * k) + p] * b[(p * n) + (i % n)];
                expected[i] += product;
                magnitudes[i] += Math.Abs(product);
            }
        }

        RequireRounded(exact, rounded, expected, magnitudes);
        Assert.That(Multiply(Allowed), Is.EqualTo(rounded), "the same bits in every run");
    }

    [Test]
    public void Convolutions_lose_what_the_option_allows_and_no_more()
    {
        TestGpu.RequireVersion(3);
        Conv2DGeometry g = Conv2DGeometry.Create(3, 9, 8, 16, 8, 3, 3, Padding2D.Symmetric(1, 1));
        float[] x = Numbers(1, (int)g.InputCount), filter = Numbers(2, (int)g.FilterCount), dY = Numbers(3, (int)g.OutputCount);
        (float[] Y, float[] DX, float[] DFilter) Run(CudaOptions options)
        {
            using CudaDevice device = Open(options);
            using var memory = new DeviceNumbers(device);
            nint Scratch(ConvolutionPass pass) => memory.Take(device.Cudnn.WorkspaceBytes(g, pass));
            (nint xAt, nint filterAt, nint dYAt) = (memory.Put(x), memory.Put(filter), memory.Put(dY));
            (nint y, nint dX, nint dFilter) = (
                memory.Put(new float[dY.Length]), memory.Put(new float[x.Length]), memory.Put(new float[filter.Length]));
            device.Cudnn.Forward(g, xAt, filterAt, y, 0, Scratch(ConvolutionPass.Forward));
            device.Cudnn.BackwardData(g, dYAt, filterAt, dX, 0, Scratch(ConvolutionPass.BackwardData));
            device.Cudnn.BackwardFilter(g, xAt, dYAt, dFilter, 0, Scratch(ConvolutionPass.BackwardFilter));
            return (memory.Get(y, dY.Length), memory.Get(dX, x.Length), memory.Get(dFilter, filter.Length));
        }

        // The reference has filters [KH, KW, C, OC], cuDNN [OC, KH, KW, C].
        double[] inner = Transpose(Wide(filter), g.OC);
        (double[] Y, double[] DX, double[] DFilter) Reference(Func<double, double> of)
        {
            double[] xs = Map(Wide(x), of), filters = Map(inner, of), dYs = Map(Wide(dY), of);
            (double[] y, double[] dX, double[] dFilter) = (
                new double[dY.Length], new double[x.Length], new double[filter.Length]);
            Conv2DReference.Forward(g, xs, filters, [], y);
            Conv2DReference.BackwardData(g, dYs, filters, dX);
            Conv2DReference.BackwardFilter(g, xs, dYs, dFilter, []);
            return (y, dX, Transpose(dFilter, filter.Length / g.OC));
        }

        var (exact, rounded, expected, magnitudes) = (
            Run(new CudaOptions()), Run(Allowed), Reference(value => value), Reference(Math.Abs));
        RequireRounded(exact.Y, rounded.Y, expected.Y, magnitudes.Y);
        RequireRounded(exact.DX, rounded.DX, expected.DX, magnitudes.DX);
        RequireRounded(exact.DFilter, rounded.DFilter, expected.DFilter, magnitudes.DFilter);
        var again = Run(Allowed);
        Assert.That(
            (again.Y, again.DX, again.DFilter), Is.EqualTo((rounded.Y, rounded.DX, rounded.DFilter)),
            "the same bits in every run");
    }

    [Test]
    public void It_is_off_by_default_and_a_device_that_allows_it_says_so()
    {
        Assert.That(new CudaOptions().AllowTF32, Is.False);
        using (Device device = TestGpu.Open())
        {
            Assert.That(device.Description, Does.Not.Contain("TF32"));
        }

        using Device allowed = TestGpu.Open(Allowed);
        Assert.That(allowed.Description, Does.Contain("TF32"));
    }

    private static void RequireRounded(float[] exact, float[] rounded, double[] expected, double[] magnitudes)
    {
        int differ = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.That(exact[i], Is.EqualTo(expected[i]).Within(1e-6 * magnitudes[i]), $"{i}, in float32");
            Assert.That(rounded[i], Is.EqualTo(expected[i]).Within(Bound * magnitudes[i]), $"{i}, in TF32");
            differ += Math.Abs(rounded[i] - expected[i]) > 1e-6 * magnitudes[i] ? 1 : 0;
        }

        Assert.That(differ, Is.GreaterThan(expected.Length / 2), "bits are lost, as without them there is nothing to gain");
    }

    private static float[] Numbers(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    private static double[] Wide(float[] values) => [.. values.Select(value => (double)value)];

    private static double[] Map(double[] values, Func<double, double> of) => [.. values.Select(of)];

    private static double[] Transpose(double[] matrix, int rows)
    {
        int columns = matrix.Length / rows;
        return [
            .. from column in Enumerable.Range(0, columns) from row in Enumerable.Range(0, rows) select matrix[
                (row * columns) + column]];
    }
}
