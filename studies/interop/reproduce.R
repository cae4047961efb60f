# Computes a trial's results again in R, and compares them with results.json.
#
#   Rscript reproduce.R [FOLDER]
#
# FOLDER holds trial.csv, plan.json and results.json, as an export has them and as
# `manage.py analyse` takes and gives them. Needs jsonlite; nlme comes with R. With the package mmrm
# (0.3 or later) the mixed model is compared to the last digit with its standard errors, degrees of
# freedom and p values; without it nlme::gls checks its estimates and their likelihood, to 1e-3.
#
# Compared: means, changes and change rates with their intervals; responders with Wilson's interval;
# Hedges' g; Kruskal-Wallis; covariance analysis, classical and HC3, with Holm's adjustment; the
# mixed model. Not computed again: imputations, tipping points, rank intervals, joint tests,
# standardised risks. Writes reproduced.csv and exits with 1 where a number differs.

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
json <- function(name) jsonlite::fromJSON(file.path(folder, name), simplifyVector = FALSE)
plan <- json("plan.json")
results <- json("results.json")
HAVE_MMRM <- requireNamespace("mmrm", quietly = TRUE)
EXACT <- 1e-8; MODEL <- if (HAVE_MMRM) 1e-5 else 1e-3
level <- plan$level
or_na <- function(x) if (is.null(x)) NA else x

## ---- the table -------------------------------------------------------------------------------
columns <- plan$columns
raw <- read.csv(file.path(folder, "trial.csv"), colClasses = "character", check.names = FALSE,
                na.strings = unlist(plan$missing_codes), encoding = "UTF-8")
weeks <- as.character(unlist(plan$visits)); first <- as.character(plan$baseline_visit)
as_visit <- function(x) ifelse(is.na(suppressWarnings(as.numeric(x))), x, as.character(as.numeric(x)))
raw$visit <- as_visit(raw[[columns$visit]]); weeks <- as_visit(weeks); first <- as_visit(first)
raw$id <- raw[[columns$id]]; raw$arm <- raw[[columns$arm]]
arms <- unique(c(plan$reference_arm, unlist(plan$arms), sort(unique(raw$arm))))
arms <- arms[arms %in% raw$arm]
raw$arm <- factor(raw$arm, levels = arms)
people <- raw[!duplicated(raw$id), c("id", "arm")]
of_person <- function(column) {
  known <- raw[!is.na(raw[[column]]), ]
  known[[column]][match(people$id, known$id)]
}
strata <- unlist(plan$strata); covariates <- unlist(plan$covariates)
for (name in strata) people[[paste0("s_", name)]] <- factor(of_person(name))
for (name in covariates) people[[paste0("c_", name)]] <- as.numeric(of_person(name))
others <- c(if (length(strata)) paste0("s_", strata), if (length(covariates)) paste0("c_", covariates))
others <- Filter(function(name) length(unique(na.omit(people[[name]]))) > 1, others)
scores_at <- function(column, visit) {
  rows <- raw[raw$visit == visit, ]
  as.numeric(rows[[column]][match(people$id, rows$id)])
}

## ---- what was computed again ------------------------------------------------------------------
again <- list()
keep <- function(outcome, method, visit, quantity, contrast = NA, arm = NA, tolerance = EXACT, ...) {
  again[[length(again) + 1]] <<- list(key = paste(outcome, method, visit, quantity, contrast, arm,
    sep = "|"), method = method, tolerance = tolerance, values = list(...))
}
t_values <- function(estimate, se, df) {
  half <- qt((1 + level) / 2, df) * se
  list(estimate = estimate, se = se, df = df, ci_low = estimate - half, ci_high = estimate + half)
}
keep_mean <- function(outcome, method, visit, arm, x) {
  if (length(x) < 2) return(invisible())
  values <- t_values(mean(x), sd(x) / sqrt(length(x)), length(x) - 1)
  do.call(keep, c(list(outcome, method, visit, method, arm = arm), values,
                  list(n = length(x), sd = sd(x))))
}

describe <- function(outcome, sign, before, after, visit, arm) {
  keep_mean(outcome, "mean", visit, arm, after[!is.na(after)])
  pairs <- !is.na(before) & !is.na(after)
  if (visit == first || sum(pairs) < 2) return(invisible())
  x <- before[pairs]; y <- after[pairs]; n <- length(x)
  keep_mean(outcome, "change", visit, arm, sign * (x - y))
  rates <- 100 * sign * (x - y)[x != 0] / x[x != 0]
  keep_mean(outcome, "rate_individual", visit, arm, rates)
  keep(outcome, "rate_individual_median", visit, "rate_individual_median", arm = arm,
       estimate = median(rates))
  # Fieller's interval of the ratio of means.
  q <- qt((1 + level) / 2, n - 1); mx <- mean(x); my <- mean(y)
  a <- mx^2 - q^2 * var(x) / n; b <- mx * my - q^2 * cov(x, y) / n; c <- my^2 - q^2 * var(y) / n
  if (a > 0 && b^2 - a * c >= 0) {
    ends <- sort(100 * sign * (1 - (b + c(-1, 1) * sqrt(b^2 - a * c)) / a))
    keep(outcome, "rate_of_means", visit, "rate_of_means", arm = arm,
         estimate = 100 * sign * (1 - my / mx), ci_low = ends[1], ci_high = ends[2], n = n)
  }
}

responded <- function(rule, sign, before, after) {
  kind <- names(rule)[1]; value <- rule[[1]]
  if (kind %in% c("any", "all")) {
    each <- lapply(value, responded, sign = sign, before = before, after = after)
    return(Reduce(if (kind == "any") `|` else `&`, each))
  }
  better <- sign * (before - after)
  switch(kind, score_at_most = after <= value, score_at_least = after >= value,
         change_at_least = better >= value,
         rate_at_least = before != 0 & 100 * better >= value * abs(before), NULL)
}

contrasts_of <- function(arms) {
  reference <- lapply(arms[-1], function(arm) c(arm, arms[1]))
  rest <- if (length(arms) > 2) combn(arms[-1], 2, simplify = FALSE) else list()
  list(versus_reference = reference, among_others = rest)
}
keep_contrasts <- function(outcome, method, visit, ask, n, tolerance) {
  for (family in contrasts_of(arms)) {
    if (!length(family)) next
    found <- lapply(family, ask)
    p <- sapply(found, function(f) 2 * pt(-abs(f$estimate / f$se), f$df))
    holm <- p.adjust(p, "holm")
    gated <- length(plan$hierarchy) > 1 && method == plan$primary$method
    shown <- plan$primary$adjust == "holm" && !gated
    for (i in seq_along(family)) {
      values <- t_values(found[[i]]$estimate, found[[i]]$se, found[[i]]$df)
      values$p <- p[i]; values$n <- n
      if (shown) values$p_adjusted <- holm[i]
      if (is.na(values$se)) values <- list(estimate = values$estimate, n = n)
      do.call(keep, c(list(outcome, method, visit, "contrast", tolerance = tolerance,
              contrast = paste(family[[i]], collapse = " - ")), values))
    }
  }
}
row_of <- function(fit_terms, frame, pair, levels_of) {
  # Two people alike but for their arm: the difference of their rows is the contrast.
  alike <- frame[c(1, 1), , drop = FALSE]
  alike$arm <- factor(pair, levels = arms)
  rows <- model.matrix(delete.response(fit_terms), alike, xlev = levels_of)
  rows[1, ] - rows[2, ]
}

covariance_analysis <- function(outcome, visit, before, after) {
  frame <- cbind(people, y = after, base = before)
  frame <- frame[complete.cases(frame[c("y", "base", others)]), ]
  if (nrow(frame) < length(arms) + 3) return(invisible())
  fit <- lm(reformulate(c("base", others, "arm"), "y"), frame)
  if (anyNA(coef(fit))) return(invisible())
  x <- model.matrix(fit); hat <- hatvalues(fit)
  bread <- solve(crossprod(x))
  hc3 <- bread %*% crossprod(x * (residuals(fit) / (1 - hat))) %*% bread
  for (kind in list(list("ancova", vcov(fit)), list("ancova_hc3", hc3))) {
    ask <- function(pair) {
      row <- row_of(terms(fit), frame, pair, fit$xlevels)
      list(estimate = sum(row * coef(fit)), se = sqrt(drop(row %*% kind[[2]] %*% row)),
           df = fit$df.residual)
    }
    keep_contrasts(outcome, kind[[1]], visit, ask, nrow(frame), EXACT)
  }
}

likelihoods <- list()
keep_fit <- function(outcome, reported, likelihood) {
  likelihoods[[length(likelihoods) + 1]] <<- data.frame(
    key = paste(outcome, "mmrm", sep = "|"), method = "mmrm_fit", field = "log_likelihood",
    results_json = reported$log_likelihood, r = likelihood,
    difference = abs(reported$log_likelihood - likelihood),
    agrees = abs(reported$log_likelihood - likelihood) <= MODEL)
}

mixed_model <- function(outcome, before, after) {
  long <- do.call(rbind, lapply(weeks, function(visit)
    cbind(people, visit = visit, base = before, y = after[[visit]])))
  long <- long[complete.cases(long[c("y", "base", others)]), ]
  long$visit <- factor(long$visit, levels = intersect(weeks, long$visit))
  long$id <- factor(long$id); long$place <- as.integer(long$visit)
  long <- long[order(long$id, long$place), ]
  by_visit <- isTRUE(plan$baseline_by_visit)
  several <- nlevels(long$visit) > 1
  if (!several) return(invisible())
  fixed <- reformulate(c("visit", if (by_visit) "visit:base" else "base", others, "visit:arm"), "y")
  fixed <- update(fixed, ~ . + arm + base)
  n <- nlevels(droplevels(long$id))
  reported <- Filter(function(f) f$outcome == outcome && f$method == "mmrm", results$fits)
  if (HAVE_MMRM) {
    kr <- plan$primary$df == "kenward_roger"
    control <- mmrm::mmrm_control(method = if (kr) "Kenward-Roger" else "Satterthwaite",
      vcov = if (kr) "Kenward-Roger-Linear" else "Asymptotic")
    fit <- mmrm::mmrm(update(fixed, ~ . + us(visit | id)), long, reml = TRUE, control = control)
  } else {
    fit <- nlme::gls(fixed, long, correlation = nlme::corSymm(form = ~ place | id),
      weights = nlme::varIdent(form = ~ 1 | visit), method = "REML",
      control = nlme::glsControl(maxIter = 200, msMaxIter = 200, tolerance = 1e-9))
  }
  likelihood <- as.numeric(logLik(fit))
  if (length(reported)) keep_fit(outcome, reported[[1]], likelihood)
  levels_of <- lapply(Filter(is.factor, long[c("visit", "arm", others)]), levels)
  # mmrm names redundant coefficients too, without a value, and takes contrasts of the others only.
  estimated <- names(which(!is.na(coef(fit))))
  for (visit in levels(long$visit)) {
    frame <- long[long$visit == visit, ]
    ask <- function(pair) {
      row <- row_of(terms(fixed), frame, pair, levels_of)[estimated]
      if (!HAVE_MMRM) return(list(estimate = sum(row * coef(fit)[estimated]), se = NA, df = NA))
      found <- mmrm::df_1d(fit, row)
      list(estimate = found$est, se = found$se, df = found$df)
    }
    keep_contrasts(outcome, "mmrm", visit, ask, n, MODEL)
  }
}

for (outcome in names(plan$outcomes)) {
  about <- plan$outcomes[[outcome]]
  column <- if (is.null(about$column)) outcome else about$column
  sign <- if (identical(about$direction, "higher")) -1 else 1
  before <- scores_at(column, first)
  after <- setNames(lapply(weeks, function(visit) scores_at(column, visit)), weeks)
  for (arm in arms) for (visit in c(first, weeks)) {
    of_arm <- people$arm == arm
    here <- if (visit == first) before else after[[visit]]
    describe(outcome, sign, before[of_arm], here[of_arm], visit, arm)
    if (visit == first || is.null(about$responder)) next
    yes <- responded(about$responder, sign, before[of_arm], here[of_arm])
    yes <- yes[!is.na(before[of_arm]) & !is.na(here[of_arm])]
    if (!length(yes)) next
    wilson <- suppressWarnings(prop.test(sum(yes), length(yes), conf.level = level, correct = FALSE))
    keep(outcome, "responders", visit, "responders", arm = arm, estimate = mean(yes),
         ci_low = wilson$conf.int[1], ci_high = wilson$conf.int[2], n = length(yes))
  }
  if (length(arms) < 2) next
  for (visit in weeks) {
    y <- after[[visit]]
    covariance_analysis(outcome, visit, before, y)
    kruskal <- kruskal.test(y, people$arm)
    keep(outcome, "kruskal_wallis", visit, "H", estimate = unname(kruskal$statistic),
         df = unname(kruskal$parameter), p = kruskal$p.value)
    for (arm in arms[-1]) {
      a <- na.omit(y[people$arm == arm]); b <- na.omit(y[people$arm == arms[1]])
      m <- length(a) + length(b) - 2
      if (length(a) < 2 || length(b) < 2) next
      pooled <- sqrt(((length(a) - 1) * var(a) + (length(b) - 1) * var(b)) / m)
      j <- exp(lgamma(m / 2) - log(sqrt(m / 2)) - lgamma((m - 1) / 2))
      keep(outcome, "hedges_g", visit, "hedges_g", contrast = paste(arm, "-", arms[1]),
           estimate = j * (mean(a) - mean(b)) / pooled, df = m)
    }
  }
  mixed_model(outcome, before, after)
}

## ---- compare ----------------------------------------------------------------------------------
visit_of <- function(x) as_visit(as.character(x))
reported <- new.env()
for (record in results$estimates) {
  key <- paste(record$outcome, record$method, visit_of(record$visit), record$quantity,
               or_na(record$contrast), or_na(record$arm), sep = "|")
  assign(key, record, envir = reported)
}
rows <- list()
for (one in again) {
  record <- get0(one$key, envir = reported)
  if (is.null(record) || is.null(record$estimate)) next
  for (field in names(one$values)) {
    ours <- record[[field]]; theirs <- one$values[[field]]
    if (is.null(ours) || is.na(theirs)) next
    off <- abs(ours - theirs) / max(1, abs(ours))
    rows[[length(rows) + 1]] <- data.frame(key = one$key, method = one$method, field = field,
      results_json = ours, r = theirs, difference = off, agrees = off <= one$tolerance)
  }
}
table <- do.call(rbind, c(rows, likelihoods))
if (is.null(table)) stop("expected numbers that both have, found none")
write.csv(table, file.path(folder, "reproduced.csv"), row.names = FALSE)
shown <- aggregate(cbind(numbers = 1, greatest_difference = table$difference), table["method"], max)
shown$numbers <- as.vector(table(table$method)[shown$method])
print(shown, row.names = FALSE)
if (!HAVE_MMRM) cat("mmrm is not installed: of the mixed model only estimates were compared.\n")
wrong <- table[!table$agrees, ]
if (nrow(wrong)) { print(head(wrong, 20), row.names = FALSE); quit(status = 1) }
cat(nrow(table), "numbers agree.\n")
