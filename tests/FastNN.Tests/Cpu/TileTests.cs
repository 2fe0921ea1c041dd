using FastNN.Cpu;

namespace FastNN.Tests.Cpu;

/// <summary>The register tile with several runs and segments, as convolutions use it: all its sizes, on every rung.</summary>
[TestFixture(typeof(Lanes512))]
[TestFixture(typeof(Lanes256))]
[TestFixture(typeof(Lanes128))]
[TestFixture(typeof(Lanes1))]
internal sealed unsafe class TileTests<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    private const int Parts = 3;
    private const int Length = 7;
    private const int K = Parts * Length;

    [SetUp]
    public void NeedsTheVectors() => Assume.That(TLanes.IsSupported, "this processor has no such vectors");

    [Test]
    public void RowsOverRuns([Values] bool accumulate)
    {
        float** pointers = stackalloc float*[16];
        nint* offsets = stackalloc nint[Parts] { 2 * Length, Length, 0 };
        var random = new Random(1);
        for (int rows = 1; rows <= Tile<TLanes>.MaxRows; rows++)
        {
            for (int cols = 1; cols <= Tile<TLanes>.MaxCols; cols++)
            {
                // Rows of A lie apart and their runs in descending order, each exactly as long as it is read.
                using var a = new GuardedBuffer(Random(random, rows * K));
                using var b = new GuardedBuffer(Random(random, K * cols));
                using var c = new GuardedBuffer(Random(random, rows * cols));
                float[] before = c.Span.ToArray();
                for (int r = 0; r < Tile<TLanes>.MaxRows; r++)
                {
                    pointers[r] = a.Pointer + (Math.Min(r, rows - 1) * K);
                }

                Tile<TLanes>.Rows(
                    pointers, offsets, Parts, Length, b.Pointer, cols,
                    c.Pointer, cols, rows, cols, new Epilogue(null, accumulate: accumulate));
                Compare(
                    c, before, accumulate, rows, cols,
                    (r, k) => a.Span[(r * K) + (int)offsets[k / Length] + (k % Length)],
                    (k, j) => b.Span[(k * cols) + j]);
                a.AssertIntact("A");
                b.AssertIntact("B");
                c.AssertIntact("C");
            }
        }
    }

    [Test]
    public void SpacedRowsThatOverlap([Values(1, 3, 6)] int spacing, [Values] bool accumulate)
    {
        int rows = Tile<TLanes>.MaxRows, reach = 3 * Length;
        nint* offsets = stackalloc nint[Parts] { 2 * Length, Length, 0 };
        var random = new Random(3);
        for (int cols = 1; cols <= Tile<TLanes>.MaxCols; cols++)
        {
            Assert.That(Tile<TLanes>.HasSpacing(spacing));
            using var a = new GuardedBuffer(Random(random, ((rows - 1) * spacing) + reach));
            using var b = new GuardedBuffer(Random(random, K * cols));
            using var c = new GuardedBuffer(Random(random, rows * cols));
            float[] before = c.Span.ToArray();
            Tile<TLanes>.Spaced(
                a.Pointer, spacing, offsets, Parts, Length, b.Pointer, cols, c.Pointer, cols, cols,
                new Epilogue(null, accumulate: accumulate));
            Compare(
                c, before, accumulate, rows, cols,
                (r, k) => a.Span[(r * spacing) + (int)offsets[k / Length] + (k % Length)],
                (k, j) => b.Span[(k * cols) + j]);
            a.AssertIntact("A");
            b.AssertIntact("B");
            c.AssertIntact("C");
        }
    }

    [Test]
    public void PanelOverSegments([Values] bool accumulate)
    {
        float** aParts = stackalloc float*[Parts];
        float** bParts = stackalloc float*[Parts];
        var random = new Random(2);
        for (int rows = 1; rows <= Tile<TLanes>.MaxRows; rows++)
        {
            for (int cols = 1; cols <= Tile<TLanes>.MaxCols; cols++)
            {
                using var a = new GuardedBuffer(Random(random, K * rows));
                using var b = new GuardedBuffer(Random(random, K * cols));
                using var c = new GuardedBuffer(Random(random, rows * cols));
                float[] before = c.Span.ToArray();
                for (int s = 0; s < Parts; s++)
                {
                    aParts[s] = a.Pointer + ((Parts - 1 - s) * Length * rows);
                    bParts[s] = b.Pointer + (s * Length * cols);
                }

                Tile<TLanes>.Panel(
                    aParts, rows, bParts, cols, Parts, Length,
                    c.Pointer, cols, rows, cols, new Epilogue(null, accumulate: accumulate));
                Compare(
                    c, before, accumulate, rows, cols,
                    (r, k) => a.Span[((((Parts - 1 - (k / Length)) * Length) + (k % Length)) * rows) + r],
                    (k, j) => b.Span[(k * cols) + j]);
                a.AssertIntact("A");
                b.AssertIntact("B");
                c.AssertIntact("C");
            }
        }
    }

    private static float[] Random(Random random, int count)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (random.NextSingle() * 2) - 1;
        }

        return values;
    }

    private static void Compare(
        GuardedBuffer c, float[] before, bool accumulate, int rows, int cols, Func<int, int, double> a, Func<int, int, double> b)
    {
        for (int r = 0; r < rows; r++)
        {
            for (int j = 0; j < cols; j++)
            {
                double expected = accumulate ? before[(r * cols) + j] : 0;
                double magnitude = Math.Abs(expected);
                for (int k = 0; k < K; k++)
                {
                    double term = a(r, k) * b(k, j);
                    expected += term;
                    magnitude += Math.Abs(term);
                }

                double bound = (K + 2) * Math.Pow(2, -24) * magnitude;
                Assert.That((double)c.Span[(r * cols) + j], Is.EqualTo(expected).Within(bound), $"C[{r}, {j}] of {rows}x{cols}");
            }
        }
    }
}
