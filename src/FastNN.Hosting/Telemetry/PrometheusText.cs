using System.Globalization;
using System.Text;

namespace FastNN.Hosting;

/// <summary>
/// Writes metrics in Prometheus's text format 0.0.4, or in OpenMetrics 1.0. Names become Prometheus's as OpenTelemetry lays down:
/// dots to underscores, the unit behind the name, <c>_total</c> behind counters.
/// </summary>
internal static class PrometheusText
{
    public const string TextType = "text/plain; version=0.0.4; charset=utf-8";
    public const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// <summary>Writes all metrics.</summary>
    /// <param name="metrics">What <see cref="MetricCollector.Collect"/> gave.</param>
    /// <param name="openMetrics">The format.</param>
    public static string Write(IReadOnlyList<(MetricStore Store, MetricSeries[] Series)> metrics, bool openMetrics)
    {
        var text = new StringBuilder(1 << 14);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach ((MetricStore store, MetricSeries[] series) in metrics)
        {
            string name = NameOf(store);
            // A second instrument of the same name would make the whole answer invalid.
            if (series.Length > 0 && names.Add(name))
            {
                Write(text, store, name, series, openMetrics);
            }
        }

        return (openMetrics ? text.Append("# EOF\n") : text).ToString();
    }

    /// <summary>The name of an instrument's family, without <c>_total</c>.</summary>
    internal static string NameOf(MetricStore store)
    {
        string name = Clean(store.Instrument.Name), unit = UnitOf(store);
        return unit.Length == 0 || name.EndsWith("_" + unit, StringComparison.Ordinal) ? name : $"{name}_{unit}";
    }

    private static void Write(StringBuilder text, MetricStore store, string name, MetricSeries[] series, bool openMetrics)
    {
        string sample = store.Kind == MetricKind.Counter ? name + "_total" : name;
        string family = openMetrics ? name : sample;
        string unit = UnitOf(store);
        text.Append("# TYPE ").Append(family).Append(' ').Append(TypeOf(store.Kind)).Append('\n');
        if (openMetrics && unit.Length > 0)
        {
            text.Append("# UNIT ").Append(family).Append(' ').Append(unit).Append('\n');
        }

        text.Append("# HELP ").Append(family).Append(' ')
            .Append(Escape(store.Instrument.Description ?? store.Instrument.Name, quotes: openMetrics)).Append('\n');
        foreach (MetricSeries one in series)
        {
            if (store.Kind == MetricKind.Histogram)
            {
                WriteHistogram(text, name, one, store.Bounds!);
            }
            else
            {
                WriteSample(text, sample, one, null, one.Value);
            }
        }
    }

    private static void WriteHistogram(StringBuilder text, string name, MetricSeries series, double[] bounds)
    {
        // The count is that of the buckets read here, so that both agree while others record.
        long count = 0;
        ReadOnlySpan<long> buckets = series.Buckets;
        for (int i = 0; i < buckets.Length; i++)
        {
            count += Volatile.Read(in buckets[i]);
            WriteSample(text, name + "_bucket", series, i < bounds.Length ? Bound(bounds[i]) : "+Inf", count);
        }

        WriteSample(text, name + "_sum", series, null, series.Value);
        WriteSample(text, name + "_count", series, null, count);
    }

    private static void WriteSample(StringBuilder text, string name, MetricSeries series, string? bound, double value)
    {
        text.Append(name);
        char before = '{';
        foreach ((string key, object? content) in series.Tags)
        {
            string shown = Convert.ToString(content, CultureInfo.InvariantCulture) ?? "";
            text.Append(before).Append(Clean(key)).Append("=\"").Append(Escape(shown, quotes: true)).Append('"');
            before = ',';
        }

        if (bound is not null)
        {
            text.Append(before).Append("le=\"").Append(bound).Append('"');
            before = ',';
        }

        text.Append(before == ',' ? "} " : " ").Append(Number(value)).Append('\n');
    }

    private static string TypeOf(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        _ => "histogram",
    };

    private static string UnitOf(MetricStore store) => store.Instrument.Unit switch
    {
        null or "" or "1" => "",
        ['{', ..] => "",
        "s" => "seconds",
        "ms" => "milliseconds",
        "By" => "bytes",
        "Cel" => "celsius",
        "W" => "watts",
        { } other => Clean(other),
    };

    private static string Clean(string name)
    {
        string clean = string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_'));
        return clean.Length > 0 && char.IsAsciiDigit(clean[0]) ? "_" + clean : clean;
    }

    private static string Escape(string text, bool quotes)
    {
        string escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    /// <summary>As OpenMetrics writes bounds: 1 is "1.0". One form in both formats keeps the series the same.</summary>
    private static string Bound(double bound) =>
        bound == Math.Floor(bound) ? bound.ToString("0.0", CultureInfo.InvariantCulture) : Number(bound);

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
