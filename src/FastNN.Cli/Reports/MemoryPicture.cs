using System.Globalization;

namespace FastNN.Cli.Reports;

/// <summary>How a step's tensors share an arena: a rectangle each, from its first to its last step and by its place.</summary>
internal static class MemoryPicture
{
    /// <summary>The largest buffers are drawn; the others would be thinner than a line.</summary>
    private const int MostBuffers = 240;
    private const double Width = 960, Height = 300, Left = 64, Right = 10, Top = 8, Bottom = 30;

    public static void Write(HtmlPage page, MemoryPlan plan)
    {
        if (plan.PeakBytes == 0 || plan.Buffers.Count == 0)
        {
            return;
        }

        int steps = plan.Buffers.Max(buffer => buffer.LastStep) + 1;
        page.Open(
            "svg", ("viewBox", Text($"0 0 {Width} {Height}")), ("role", "img"),
            ("aria-label", "Buffers by step and by place in the arena"));
        for (int i = 0; i <= 4; i++)
        {
            double y = Height - Bottom - (i / 4.0 * (Height - Top - Bottom));
            page.Empty(
                "line", ("class", "axis"), ("x1", Text($"{Left}")), ("x2", Text($"{Width - Right}")), ("y1", Text($"{y:0.#}")),
                ("y2", Text($"{y:0.#}")));
            page.Element(
                "text", Bytes(plan.PeakBytes * i / 4), ("x", Text($"{Left - 6}")), ("y", Text($"{y + 4:0.#}")),
                ("text-anchor", "end"));
        }

        PlannedBuffer[] drawn = [.. plan.Buffers.OrderByDescending(buffer => buffer.Bytes).Take(MostBuffers)];
        for (int i = 0; i < drawn.Length; i++)
        {
            WriteBuffer(page, drawn[i], i, steps, plan.PeakBytes);
        }

        page.Element(
            "text", Text($"step 0 to {steps - 1}: operators forward, then backward"), ("x", Text($"{Width - Right}")),
            ("y", Text($"{Height - 8}")), ("text-anchor", "end"));
        page.Close();
    }

    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => Text($"{bytes / 1073741824.0:0.##} GiB"),
        >= 1L << 20 => Text($"{bytes / 1048576.0:0.##} MiB"),
        >= 1L << 10 => Text($"{bytes / 1024.0:0.#} KiB"),
        _ => Text($"{bytes} B"),
    };

    private static void WriteBuffer(HtmlPage page, PlannedBuffer buffer, int color, int steps, long peak)
    {
        double across = (Width - Left - Right) / steps, down = (Height - Top - Bottom) / peak;
        double tall = buffer.Bytes * down, top = Height - Bottom - ((buffer.Offset + buffer.Bytes) * down);
        page.Open(
            "rect", ("class", Text($"buffer f{color % PageFiles.Colors}")),
            ("x", Text($"{Left + (buffer.FirstStep * across):0.#}")), ("y", Text($"{top:0.##}")),
            ("width", Text($"{(buffer.LastStep - buffer.FirstStep + 1) * across:0.#}")), ("height", Text($"{tall:0.##}")))
            .Element("title", Text($"{buffer.Name}, {Bytes(buffer.Bytes)}, steps {buffer.FirstStep} to {buffer.LastStep}"))
            .Close();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
