# Reads the .trx files of a run and prints what was skipped, with its reasons, and the ten classes that took longest.
# awk -f tests/report.awk *.trx

function attribute(line, name,    at, rest) {
    at = index(line, " " name "=\"")
    if (at == 0) {
        return ""
    }

    rest = substr(line, at + length(name) + 3)
    return substr(rest, 1, index(rest, "\"") - 1)
}

function plain(text) {
    gsub(/&quot;/, "\"", text)
    gsub(/&apos;/, "'", text)
    gsub(/&lt;/, "<", text)
    gsub(/&gt;/, ">", text)
    gsub(/&#x[DA];/, " ", text)
    gsub(/&amp;/, "\\&", text)
    return text
}

/<UnitTestResult / {
    id = attribute($0, "testId")
    split(attribute($0, "duration"), time, ":")
    seconds[id] += (time[1] * 60 + time[2]) * 60 + time[3]
    skipped = attribute($0, "outcome") == "NotExecuted" ? id : ""
    if (skipped != "") {
        test[id] = attribute($0, "testName")
        reason[id] = "no reason given"
    }
}

/<Message>/ && skipped != "" {
    text = $0
    sub(/^.*<Message>/, "", text)
    sub(/<\/Message>.*$/, "", text)
    reason[skipped] = plain(text)
    skipped = ""
}

/<UnitTest / { id = attribute($0, "id") }

/<TestMethod / {
    class = plain(attribute($0, "className"))
    # Names of types in a fixture's arguments say nothing beyond its type arguments.
    sub(/\(FastNN\..*$/, "", class)
    sub(/^FastNN\./, "", class)
    classOf[id] = class
}

END {
    for (id in reason) {
        if (!(reason[id] in names)) {
            order[++reasons] = reason[id]
        }

        names[reason[id]] = names[reason[id]] "\n    " classOf[id] "." plain(test[id])
    }

    for (i = 1; i <= reasons; i++) {
        print "  skipped: " order[i] names[order[i]]
    }

    for (id in seconds) {
        total[classOf[id]] += seconds[id]
        count[classOf[id]]++
    }

    print "the ten slowest classes:"
    for (i = 1; i <= 10; i++) {
        slowest = ""
        for (class in total) {
            if (slowest == "" || total[class] > total[slowest]) {
                slowest = class
            }
        }

        if (slowest == "") {
            break
        }

        printf "  %6.1f s  %5d tests  %s\n", total[slowest], count[slowest], slowest
        delete total[slowest]
    }
}
