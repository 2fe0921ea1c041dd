using System.Diagnostics;

namespace FastNN.Hosting;

/// <summary>
/// What <see cref="ModelTelemetry.CallStarted"/> knows of a call until it ends; the default is a call that never began.
/// </summary>
/// <param name="Start">When it began, as <see cref="Stopwatch.GetTimestamp"/> has it; 0 where nobody asks.</param>
/// <param name="Activity">The request's activity; null where nobody listens or it was sampled out.</param>
/// <param name="IsUnderWay">Whether the call counts as active.</param>
internal readonly record struct CallTrace(long Start, Activity? Activity, bool IsUnderWay);
