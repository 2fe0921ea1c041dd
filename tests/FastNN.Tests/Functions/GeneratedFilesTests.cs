using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Generate;

namespace FastNN.Tests.Functions;

/// <summary>The files that tools/FastNN.Generate writes are those in the repository.</summary>
internal sealed class GeneratedFilesTests
{
    private static string Root => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    [Test]
    public void Generated_files_are_what_the_functions_give() => Assert.That(
        Generator.Outdated(Root), Is.Empty, "run dotnet run --project tools/FastNN.Generate");

    [Test]
    public void Equal_expressions_are_computed_once_and_single_uses_stand_in_place()
    {
        CudaText x = CudaText.Named("x");
        IReadOnlyList<string> lines = Printer.Print(("return {0};", ((x + 1f) * (x + 1f)) - (x - (x - 2f))));
        Assert.That(lines, Is.EqualTo(new[] { "float v0 = x + 1.0f;", "return v0 * v0 - (x - (x - 2.0f));" }));
    }

    [Test]
    public void Numbers_keep_every_bit_and_signs_stay_apart()
    {
        CudaText x = CudaText.Named("x");
        Assert.That(
            Printer.Print(("return {0};", -(CudaText)(-0.1f) + (x * 1e-30f))),
            Is.EqualTo(new[] { "return -(-0.1f) + x * 1E-30f;" }));
        Assert.That(
            Printer.Print(("return {0};", CudaText.IfGreater(x, float.PositiveInfinity, float.NaN, 3f))),
            Is.EqualTo(new[] { "return x > infinity() ? quietNaN() : 3.0f;" }));
    }

    [Test]
    public void A_function_without_a_row_is_an_error() => Assert.That(
        () => UnaryFunction.Of<Strange>().Id, Throws.InvalidOperationException.With.Message.Contains("Strange"));

    private static string ThisFile([CallerFilePath] string file = "") => file;

    private readonly struct Strange : IUnaryFunction
    {
        public static FunctionInfo Info => new("Strange", "Of no table");

        public static T Value<T>(T x, Scalars s)
            where T : struct, ILanes<T> => x;

        public static T Gradient<T>(T x, T dY, Scalars s)
            where T : struct, ILanes<T> => dY;
    }
}
