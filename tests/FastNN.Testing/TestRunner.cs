using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Security;
using NUnit.Framework.Api;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace FastNN.Testing;

/// <summary>
/// Runs test assemblies without an SDK, for machines that have none: dotnet FastNN.Tests.dll [PATTERN [SECONDS]]. The pattern is
/// a regular expression that a test's full name must contain; tests that have not begun after so many seconds do not run.
/// </summary>
internal static class TestRunner
{
    /// <param name="assemblies">File names beside this one; those that are not there are left out.</param>
    /// <returns>0 where something ran and nothing failed, else 1.</returns>
    public static int Run(string[] args, params string[] assemblies)
    {
        string pattern = args.Length > 0 ? args[0] : "";
        TimeSpan limit = args.Length > 1
            ? TimeSpan.FromSeconds(double.Parse(args[1], CultureInfo.InvariantCulture))
            : Timeout.InfiniteTimeSpan;
        var clock = Stopwatch.StartNew();
        var listener = new Listener();
        bool stopped = false;
        foreach (string path in assemblies.Select(name => Path.Combine(AppContext.BaseDirectory, name)).Where(File.Exists))
        {
            var runner = new NUnitTestAssemblyRunner(new DefaultTestAssemblyBuilder());
            runner.Load(Assembly.LoadFrom(path), new Dictionary<string, object> { ["NumberOfTestWorkers"] = 0 });
            TestFilter filter = pattern.Length == 0
                ? TestFilter.Empty
                : TestFilter.FromXml($"<filter><test re=\"1\">{SecurityElement.Escape(pattern)}</test></filter>");
            runner.RunAsync(listener, filter);
            TimeSpan left = limit == Timeout.InfiniteTimeSpan
                ? limit
                : limit > clock.Elapsed
                ? limit - clock.Elapsed
                : TimeSpan.Zero;
            if (!runner.WaitForCompletion((int)left.TotalMilliseconds))
            {
                stopped = true;
                runner.StopRun(force: false);
                runner.WaitForCompletion(Timeout.Infinite);
            }
        }

        listener.Summarize(clock.Elapsed, stopped);
        return listener.Failed == 0 && listener.Passed > 0 ? 0 : 1;
    }

    private sealed class Listener : ITestListener
    {
        private readonly SortedDictionary<string, int> _skipped = new(StringComparer.Ordinal);

        public int Passed { get; private set; }

        public int Failed { get; private set; }

        public void TestFinished(ITestResult result)
        {
            if (result.Test.IsSuite)
            {
                // What a fixture's own set-up or tear-down failed in is told by it alone.
                if (result.ResultState.Status == TestStatus.Failed && result.ResultState.Site is FailureSite.SetUp
                    or FailureSite.TearDown)
                {
                    Fail(result);
                }

                return;
            }

            switch (result.ResultState.Status)
            {
                case TestStatus.Passed or TestStatus.Warning:
                    Passed++;
                    break;
                case TestStatus.Failed when result.ResultState.Site != FailureSite.Parent:
                    Fail(result);
                    break;
                case TestStatus.Skipped or TestStatus.Inconclusive:
                    string reason = result.Message.Length == 0 ? "no reason given" : result.Message.ReplaceLineEndings(" ");
                    _skipped[reason] = _skipped.GetValueOrDefault(reason) + 1;
                    break;
            }
        }

        public void Summarize(TimeSpan elapsed, bool stopped)
        {
            foreach ((string reason, int count) in _skipped)
            {
                Console.WriteLine($"skipped {count,5}: {reason}");
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Passed} passed, {Failed} failed, {_skipped.Values.Sum()} skipped in {elapsed.TotalSeconds:F1} s{(stopped ? "; the time was up, and the rest did not run" : "")}"));
        }

        public void TestStarted(ITest test)
        {
        }

        public void TestOutput(TestOutput output) => Console.Out.Write(output.Text);

        public void SendMessage(TestMessage message)
        {
        }

        private void Fail(ITestResult result)
        {
            Failed++;
            Console.WriteLine($"FAILED {result.FullName}");
            Console.WriteLine(
                "  " + (result.Message + Environment.NewLine + result.StackTrace).Trim().ReplaceLineEndings(
                    Environment.NewLine + "  "));
        }
    }
}
